-- What the fourth step makes; stores have taken it, so it stays as it is.
CREATE TABLE projects (
  id INTEGER NOT NULL,
  name TEXT NOT NULL,
  created DOUBLE NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX projects_by_name ON projects (name);
CREATE TABLE service_values (
  name TEXT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (name)
);
CREATE TABLE audit (
  id INTEGER NOT NULL,
  project INTEGER,
  at DOUBLE NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE TABLE changes (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  project INTEGER NOT NULL,
  stream INTEGER,
  at DOUBLE NOT NULL,
  kind TEXT NOT NULL,
  content TEXT NOT NULL,
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE TABLE rules (
  id INTEGER NOT NULL,
  project INTEGER NOT NULL,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  text TEXT NOT NULL,
  created DOUBLE NOT NULL,
  author TEXT NOT NULL,
  active BOOLEAN DEFAULT 1 NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE UNIQUE INDEX rules_by_name ON rules (project, name, version);
CREATE TABLE streams (
  id INTEGER NOT NULL,
  project INTEGER NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  settings TEXT NOT NULL,
  created DOUBLE NOT NULL,
  open_round BIGINT DEFAULT '0' NOT NULL,
  open_answers BIGINT DEFAULT '0' NOT NULL,
  answers BIGINT DEFAULT '0' NOT NULL,
  late BIGINT DEFAULT '0' NOT NULL,
  last_answer DOUBLE,
  state TEXT DEFAULT 'baseline' NOT NULL,
  state_since DOUBLE,
  measured_round BIGINT DEFAULT '0' NOT NULL,
  headline TEXT,
  silent_since DOUBLE,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE UNIQUE INDEX streams_by_name ON streams (project, name);
CREATE TABLE targets (
  id INTEGER NOT NULL,
  project INTEGER NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  url TEXT NOT NULL,
  secret TEXT,
  enabled BOOLEAN DEFAULT 1 NOT NULL,
  created DOUBLE NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE UNIQUE INDEX targets_by_name ON targets (project, name);
CREATE TABLE tokens (
  id INTEGER NOT NULL,
  project INTEGER NOT NULL,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  hash BLOB NOT NULL,
  prefix TEXT NOT NULL,
  created DOUBLE NOT NULL,
  last_used DOUBLE,
  revoked DOUBLE,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE UNIQUE INDEX tokens_by_hash ON tokens (hash);
CREATE TABLE users (
  id INTEGER NOT NULL,
  project INTEGER NOT NULL,
  name TEXT NOT NULL,
  password TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created DOUBLE NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE UNIQUE INDEX users_by_name ON users (name);
CREATE TABLE actions (
  id INTEGER NOT NULL,
  project INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  round BIGINT NOT NULL,
  "group" TEXT DEFAULT '' NOT NULL,
  kind TEXT NOT NULL,
  state TEXT DEFAULT 'open' NOT NULL,
  content TEXT NOT NULL,
  created DOUBLE NOT NULL,
  done DOUBLE,
  done_by TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE INDEX actions_by_state ON actions (project, state, id);
CREATE TABLE alerts (
  id INTEGER NOT NULL,
  project INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT DEFAULT 'open' NOT NULL,
  round BIGINT NOT NULL,
  content TEXT NOT NULL,
  opened DOUBLE NOT NULL,
  cleared DOUBLE,
  acknowledged DOUBLE,
  acknowledged_by TEXT,
  snoozed_until DOUBLE,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE INDEX alerts_by_state ON alerts (project, state, id);
CREATE UNIQUE INDEX open_alerts ON alerts (stream, kind) WHERE state = 'open';
CREATE TABLE answers (
  id INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  "key" TEXT NOT NULL,
  digest BLOB NOT NULL,
  round BIGINT NOT NULL,
  late BOOLEAN DEFAULT 0 NOT NULL,
  received DOUBLE NOT NULL,
  at DOUBLE NOT NULL,
  "group" TEXT,
  prompt TEXT,
  text TEXT,
  vector BLOB,
  numbers TEXT,
  weight BIGINT DEFAULT '1' NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE UNIQUE INDEX answers_by_key ON answers (stream, "key");
CREATE INDEX answers_by_round ON answers (stream, round);
CREATE INDEX answers_by_time ON answers (received);
CREATE TABLE chart_states (
  stream INTEGER NOT NULL,
  metric TEXT NOT NULL,
  "group" TEXT NOT NULL,
  chart TEXT NOT NULL,
  round BIGINT NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (stream, metric, "group", chart),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE TABLE deliveries (
  id INTEGER NOT NULL,
  target INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject INTEGER,
  content TEXT NOT NULL,
  state TEXT DEFAULT 'waiting' NOT NULL,
  attempts BIGINT DEFAULT '0' NOT NULL,
  created DOUBLE NOT NULL,
  next_attempt DOUBLE NOT NULL,
  error TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(target) REFERENCES targets (id)
);
CREATE INDEX deliveries_by_state ON deliveries (state, next_attempt);
CREATE TABLE observers (
  stream INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (stream),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE TABLE readings (
  stream INTEGER NOT NULL,
  round BIGINT NOT NULL,
  "group" TEXT NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (stream, round, "group"),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE TABLE reviews (
  id INTEGER NOT NULL,
  project INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  round BIGINT NOT NULL,
  "key" TEXT NOT NULL,
  "group" TEXT DEFAULT '' NOT NULL,
  prompt TEXT,
  text TEXT NOT NULL,
  size BIGINT DEFAULT '0' NOT NULL,
  drawn BIGINT DEFAULT '0' NOT NULL,
  state TEXT DEFAULT 'pending' NOT NULL,
  created DOUBLE NOT NULL,
  decided DOUBLE,
  decided_by TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE UNIQUE INDEX reviews_by_key ON reviews (stream, "key");
CREATE INDEX reviews_by_state ON reviews (project, state, id);
CREATE TABLE rollups (
  stream INTEGER NOT NULL,
  period TEXT NOT NULL,
  begins DOUBLE NOT NULL,
  rounds BIGINT DEFAULT '0' NOT NULL,
  answers BIGINT DEFAULT '0' NOT NULL,
  summary BLOB NOT NULL,
  PRIMARY KEY (stream, period, begins),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE TABLE rounds (
  stream INTEGER NOT NULL,
  number BIGINT NOT NULL,
  name TEXT NOT NULL,
  begins DOUBLE,
  ends DOUBLE,
  due DOUBLE,
  status TEXT DEFAULT 'open' NOT NULL,
  answers BIGINT DEFAULT '0' NOT NULL,
  late BIGINT DEFAULT '0' NOT NULL,
  closed DOUBLE,
  note TEXT,
  summary BLOB,
  texts BLOB,
  PRIMARY KEY (stream, number),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE INDEX rounds_by_status ON rounds (status, due);
CREATE TABLE sessions (
  hash BLOB NOT NULL,
  user INTEGER NOT NULL,
  csrf TEXT NOT NULL,
  created DOUBLE NOT NULL,
  expires DOUBLE NOT NULL,
  PRIMARY KEY (hash),
  FOREIGN KEY(user) REFERENCES users (id)
);
CREATE TABLE verdicts (
  stream INTEGER NOT NULL,
  round BIGINT NOT NULL,
  metric TEXT NOT NULL,
  "group" TEXT NOT NULL,
  chart TEXT NOT NULL,
  state TEXT NOT NULL,
  value DOUBLE,
  statistic DOUBLE,
  "limit" DOUBLE,
  evidence DOUBLE,
  since BIGINT,
  PRIMARY KEY (stream, round, metric, "group", chart),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
