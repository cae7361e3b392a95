from app.errors import AppError, problem_from


def test_a_command_is_for_the_command_line_alone() -> None:
    error = AppError("No model is here.", fix="Get one.", command="“causeway pull” does it.")
    problem = problem_from(error)
    assert problem is not None
    assert problem.sentence() == "No model is here. Get one."
    assert problem.sentence_for_terminals() == "No model is here. Get one. “causeway pull” does it."
