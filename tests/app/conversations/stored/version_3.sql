-- A conversation database of version 3, as its program left it.
PRAGMA application_id = 1129806129;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE conversations (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL,
            updated REAL NOT NULL,
            model_id TEXT NOT NULL DEFAULT '',
            options TEXT NOT NULL DEFAULT '{}',
            draft TEXT NOT NULL DEFAULT '',
            leaf_seq INTEGER REFERENCES messages (seq) DEFERRABLE INITIALLY DEFERRED,
            deleted_at REAL
        , place_id TEXT NOT NULL DEFAULT '', place_part REAL NOT NULL DEFAULT 0) STRICT
        
        ;
INSERT INTO "conversations" VALUES(1,'0000000000000001','Sky',1747000000.0,1747000005.0,'smollm2-135m-instruct','{"temperature": 0.2, "system_prompt": "Answer briefly."}','And at dusk?',2,NULL,'0000000000000003',0.25);
INSERT INTO "conversations" VALUES(2,'0000000000000006','Tell me a story',1747000007.0,1747000009.0,'','{}','',6,NULL,'',0.0);
INSERT INTO "conversations" VALUES(3,'0000000000000009','A whole chat, deleted',1747000010.0,1747000011.0,'','{}','',7,1747000012.0,'',0.0);
CREATE VIRTUAL TABLE message_search USING fts5 (text, tokenize = 'unicode61');
CREATE TABLE messages (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            conversation_seq INTEGER NOT NULL
                REFERENCES conversations (seq) DEFERRABLE INITIALLY DEFERRED,
            parent_seq INTEGER
                REFERENCES messages (seq) DEFERRABLE INITIALLY DEFERRED
                CHECK (parent_seq < seq),
            role TEXT NOT NULL,
            text TEXT NOT NULL,
            reasoning TEXT NOT NULL DEFAULT '',
            reasoning_seconds REAL NOT NULL DEFAULT 0,
            status TEXT NOT NULL,
            problem TEXT NOT NULL DEFAULT '',
            notice TEXT NOT NULL DEFAULT '',
            origin TEXT,
            created REAL NOT NULL,
            writer_pid INTEGER,
            writer_started REAL,
            deleted_at REAL,
            deleted_by INTEGER,
            leaf_before INTEGER,
            CHECK (
                status <> 'streaming'
                OR (writer_pid IS NOT NULL AND writer_started IS NOT NULL)
            )
        ) STRICT
        ;
INSERT INTO "messages" VALUES(1,'0000000000000002',1,NULL,'user','Why is the sky blue?','',0.0,'complete','','',NULL,1747000001.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "messages" VALUES(2,'0000000000000003',1,1,'assistant','Because of **scattering**.','Rayleigh.',2.5,'complete','','The oldest message no longer fits.','{"model_id": "smollm2-135m-instruct", "model_name": "SmolLM2 135M Instruct", "model_file": "", "model_bytes": 0, "model_sha256": "", "quant": "", "backend": "llama_cpp", "template": "", "options": {"temperature": 0.2}, "seed": 42, "usage": {"type": "usage", "prompt_tokens": 30, "cached_tokens": 10, "completion_tokens": 12}, "timings": {"prompt_ms": 0.0, "first_token_ms": 0.0, "generation_ms": 0.0, "tokens_per_second": 0.0}}',1747000002.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "messages" VALUES(3,'0000000000000004',1,1,'assistant','Short waves scatter 東京 🎉.','',0.0,'complete','','',NULL,1747000004.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "messages" VALUES(4,'0000000000000005',1,3,'user','Deleted afterwards','',0.0,'complete','','',NULL,1747000005.0,NULL,NULL,1747000006.0,4,4);
INSERT INTO "messages" VALUES(5,'0000000000000007',2,NULL,'user','Tell me a story','',0.0,'complete','','',NULL,1747000008.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "messages" VALUES(6,'0000000000000008',2,5,'assistant','Once upon a','',0.0,'streaming','','',NULL,1747000009.0,4000000,1000.0,NULL,NULL,NULL);
INSERT INTO "messages" VALUES(7,'000000000000000a',3,NULL,'user','A whole chat, deleted','',0.0,'complete','','',NULL,1747000011.0,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE token_logprobs (
            message_seq INTEGER PRIMARY KEY REFERENCES messages (seq),
            tokens BLOB NOT NULL
        ) STRICT
        ;
INSERT INTO "token_logprobs" VALUES(2,X'9283a474657874a742656361757365a76c6f6770726f62cbbfd0000000000000a3746f709192a62053696e6365cbbff800000000000083a474657874a3206f66a76c6f6770726f62cbbfc0000000000000a3746f7090');
CREATE VIRTUAL TABLE title_search USING fts5 (title, tokenize = 'unicode61');
CREATE INDEX conversations_by_update ON conversations (updated);
CREATE INDEX conversations_by_leaf ON conversations (leaf_seq);
CREATE INDEX messages_by_parent ON messages (parent_seq, conversation_seq, deleted_at);
CREATE INDEX messages_by_conversation ON messages (conversation_seq);
CREATE INDEX messages_in_writing ON messages (status) WHERE status = 'streaming';
CREATE INDEX messages_deleted ON messages (deleted_by) WHERE deleted_by IS NOT NULL;
INSERT INTO message_search (rowid, text) VALUES(1,'Why is the sky blue?');
INSERT INTO message_search (rowid, text) VALUES(2,'Because of **scattering**.');
INSERT INTO message_search (rowid, text) VALUES(3,'Short waves scatter  東  京   symbol1f389 .');
INSERT INTO message_search (rowid, text) VALUES(4,'Deleted afterwards');
INSERT INTO message_search (rowid, text) VALUES(5,'Tell me a story');
INSERT INTO message_search (rowid, text) VALUES(7,'A whole chat, deleted');
INSERT INTO title_search (rowid, title) VALUES(1,'Sky');
INSERT INTO title_search (rowid, title) VALUES(2,'Tell me a story');
INSERT INTO title_search (rowid, title) VALUES(3,'A whole chat, deleted');
COMMIT;
