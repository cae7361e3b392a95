"""The headings of the conversation list."""

from datetime import datetime

from PySide6.QtCore import QCoreApplication, QLocale

from app.formatting import date_group


def group_title(updated: float, now: float) -> str:
    """The heading above a conversation last changed at `updated`; what is old goes by month."""
    translate = QCoreApplication.translate
    match date_group(updated, now):
        case "Today":
            return translate("ConversationGroups", "Today")
        case "Yesterday":
            return translate("ConversationGroups", "Yesterday")
        case "Previous 7 days":
            return translate("ConversationGroups", "Previous 7 days")
        case "Previous 30 days":
            return translate("ConversationGroups", "Previous 30 days")
        case "Older":
            return _month(datetime.fromtimestamp(updated), datetime.fromtimestamp(now))


def _month(then: datetime, today: datetime) -> str:
    name = QLocale().standaloneMonthName(then.month)
    return name if then.year == today.year else f"{name} {then.year}"
