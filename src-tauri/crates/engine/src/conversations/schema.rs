//! What `r3mes.sqlite` holds, as the steps that make it. A step that was published is never changed; another one follows it.

/// In the header of our files: `R3MS`.
pub(super) const APPLICATION_ID: i32 = 0x5233_4d53;

/// Step `n` (counted from 1) makes version `n` from version `n - 1`.
pub(super) const STEPS: [&str; 2] = [V1, V2];

/// `row` orders messages by when they came. A child's row is greater than its parent's, and lies in the same conversation.
///
/// The indexes hold folded words only (`fold.rs`), so their tokenizer has nothing left to decide.
/// `trashed_with` names the message whose removal took this one along. `content` is last: to read what stands before it,
/// SQLite need not walk through a long text. Parents do not delete their children by themselves: that would nest as deep
/// as the tree is, and SQLite stops at 1000.
const V1: &str = "
CREATE TABLE presets (
  row INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  system_prompt TEXT NOT NULL,
  sampling TEXT NOT NULL
) STRICT;

CREATE TABLE conversations (
  row INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  trashed_at INTEGER,
  leaf INTEGER REFERENCES messages (row) ON DELETE SET NULL,
  system_prompt TEXT NOT NULL DEFAULT '',
  preset INTEGER REFERENCES presets (row) ON DELETE SET NULL,
  sampling TEXT NOT NULL DEFAULT '{}',
  draft TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE messages (
  row INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  conversation INTEGER NOT NULL REFERENCES conversations (row) ON DELETE CASCADE,
  parent INTEGER CHECK (parent < row),
  role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
  created_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('complete', 'running', 'cancelled', 'interrupted', 'failed')),
  model TEXT,
  finish_reason TEXT CHECK (finish_reason IN ('stop', 'length', 'cancelled')),
  seed TEXT,
  error_code TEXT,
  error_message TEXT,
  metrics TEXT,
  trashed_at INTEGER,
  trashed_with INTEGER,
  content TEXT NOT NULL,
  UNIQUE (conversation, row),
  FOREIGN KEY (conversation, parent) REFERENCES messages (conversation, row)
) STRICT;

CREATE INDEX conversations_by_leaf ON conversations (leaf);
CREATE INDEX conversations_by_preset ON conversations (preset);
CREATE INDEX messages_by_parent ON messages (conversation, parent);
CREATE INDEX messages_shown ON messages (conversation) WHERE trashed_at IS NULL;
CREATE INDEX messages_running ON messages (row) WHERE state = 'running';

CREATE VIRTUAL TABLE message_index USING fts5 (
  words, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2 3'
);
CREATE VIRTUAL TABLE title_index USING fts5 (
  words, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2 3'
);

CREATE TRIGGER message_gone AFTER DELETE ON messages BEGIN
  DELETE FROM message_index WHERE rowid = old.row;
END;
CREATE TRIGGER conversation_gone AFTER DELETE ON conversations BEGIN
  DELETE FROM title_index WHERE rowid = old.row;
END;
";

/// Who helped with an answer, and who should have. Beside the messages, since most have neither and both can be long.
const V2: &str = "
CREATE TABLE message_routes (
  message INTEGER PRIMARY KEY REFERENCES messages (row) ON DELETE CASCADE,
  routing TEXT,
  label TEXT
) STRICT;

CREATE INDEX message_routes_labelled ON message_routes (message) WHERE label IS NOT NULL;
";
