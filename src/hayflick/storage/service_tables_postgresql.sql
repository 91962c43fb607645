-- What the fourth step makes; stores have taken it, so it stays as it is.
CREATE TABLE projects (
  id BIGSERIAL NOT NULL,
  name TEXT NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX projects_by_name ON projects (name);
CREATE TABLE service_values (
  name TEXT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (name)
);
CREATE TABLE audit (
  id BIGSERIAL NOT NULL,
  project BIGINT,
  at DOUBLE PRECISION NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE TABLE changes (
  id BIGSERIAL NOT NULL,
  project BIGINT NOT NULL,
  stream BIGINT,
  at DOUBLE PRECISION NOT NULL,
  kind TEXT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE TABLE rules (
  id BIGSERIAL NOT NULL,
  project BIGINT NOT NULL,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  text TEXT NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  author TEXT NOT NULL,
  active BOOLEAN DEFAULT true NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE UNIQUE INDEX rules_by_name ON rules (project, name, version);
CREATE TABLE streams (
  id BIGSERIAL NOT NULL,
  project BIGINT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  settings TEXT NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  open_round BIGINT DEFAULT '0' NOT NULL,
  open_answers BIGINT DEFAULT '0' NOT NULL,
  answers BIGINT DEFAULT '0' NOT NULL,
  late BIGINT DEFAULT '0' NOT NULL,
  last_answer DOUBLE PRECISION,
  state TEXT DEFAULT 'baseline' NOT NULL,
  state_since DOUBLE PRECISION,
  measured_round BIGINT DEFAULT '0' NOT NULL,
  headline TEXT,
  silent_since DOUBLE PRECISION,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE UNIQUE INDEX streams_by_name ON streams (project, name);
CREATE TABLE targets (
  id BIGSERIAL NOT NULL,
  project BIGINT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  url TEXT NOT NULL,
  secret TEXT,
  enabled BOOLEAN DEFAULT true NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE UNIQUE INDEX targets_by_name ON targets (project, name);
CREATE TABLE tokens (
  id BIGSERIAL NOT NULL,
  project BIGINT NOT NULL,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  hash BYTEA NOT NULL,
  prefix TEXT NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  last_used DOUBLE PRECISION,
  revoked DOUBLE PRECISION,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE UNIQUE INDEX tokens_by_hash ON tokens (hash);
CREATE TABLE users (
  id BIGSERIAL NOT NULL,
  project BIGINT NOT NULL,
  name TEXT NOT NULL,
  password TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id)
);
CREATE UNIQUE INDEX users_by_name ON users (name);
CREATE TABLE actions (
  id BIGSERIAL NOT NULL,
  project BIGINT NOT NULL,
  stream BIGINT NOT NULL,
  round BIGINT NOT NULL,
  "group" TEXT DEFAULT '' NOT NULL,
  kind TEXT NOT NULL,
  state TEXT DEFAULT 'open' NOT NULL,
  content TEXT NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  done DOUBLE PRECISION,
  done_by TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE INDEX actions_by_state ON actions (project, state, id);
CREATE TABLE alerts (
  id BIGSERIAL NOT NULL,
  project BIGINT NOT NULL,
  stream BIGINT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT DEFAULT 'open' NOT NULL,
  round BIGINT NOT NULL,
  content TEXT NOT NULL,
  opened DOUBLE PRECISION NOT NULL,
  cleared DOUBLE PRECISION,
  acknowledged DOUBLE PRECISION,
  acknowledged_by TEXT,
  snoozed_until DOUBLE PRECISION,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE INDEX alerts_by_state ON alerts (project, state, id);
CREATE UNIQUE INDEX open_alerts ON alerts (stream, kind) WHERE state = 'open';
CREATE TABLE answers (
  id BIGSERIAL NOT NULL,
  stream BIGINT NOT NULL,
  key TEXT NOT NULL,
  digest BYTEA NOT NULL,
  round BIGINT NOT NULL,
  late BOOLEAN DEFAULT false NOT NULL,
  received DOUBLE PRECISION NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  "group" TEXT,
  prompt TEXT,
  text TEXT,
  vector BYTEA,
  numbers TEXT,
  weight BIGINT DEFAULT '1' NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE UNIQUE INDEX answers_by_key ON answers (stream, key);
CREATE INDEX answers_by_round ON answers (stream, round);
CREATE INDEX answers_by_time ON answers (received);
CREATE TABLE chart_states (
  stream BIGINT NOT NULL,
  metric TEXT NOT NULL,
  "group" TEXT NOT NULL,
  chart TEXT NOT NULL,
  round BIGINT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (stream, metric, "group", chart),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE TABLE deliveries (
  id BIGSERIAL NOT NULL,
  target BIGINT NOT NULL,
  kind TEXT NOT NULL,
  subject BIGINT,
  content TEXT NOT NULL,
  state TEXT DEFAULT 'waiting' NOT NULL,
  attempts BIGINT DEFAULT '0' NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  next_attempt DOUBLE PRECISION NOT NULL,
  error TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(target) REFERENCES targets (id)
);
CREATE INDEX deliveries_by_state ON deliveries (state, next_attempt);
CREATE TABLE observers (
  stream BIGINT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (stream),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE TABLE readings (
  stream BIGINT NOT NULL,
  round BIGINT NOT NULL,
  "group" TEXT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (stream, round, "group"),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE TABLE reviews (
  id BIGSERIAL NOT NULL,
  project BIGINT NOT NULL,
  stream BIGINT NOT NULL,
  round BIGINT NOT NULL,
  key TEXT NOT NULL,
  "group" TEXT DEFAULT '' NOT NULL,
  prompt TEXT,
  text TEXT NOT NULL,
  size BIGINT DEFAULT '0' NOT NULL,
  drawn BIGINT DEFAULT '0' NOT NULL,
  state TEXT DEFAULT 'pending' NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  decided DOUBLE PRECISION,
  decided_by TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES projects (id),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE UNIQUE INDEX reviews_by_key ON reviews (stream, key);
CREATE INDEX reviews_by_state ON reviews (project, state, id);
CREATE TABLE rollups (
  stream BIGINT NOT NULL,
  period TEXT NOT NULL,
  begins DOUBLE PRECISION NOT NULL,
  rounds BIGINT DEFAULT '0' NOT NULL,
  answers BIGINT DEFAULT '0' NOT NULL,
  summary BYTEA NOT NULL,
  PRIMARY KEY (stream, period, begins),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE TABLE rounds (
  stream BIGINT NOT NULL,
  number BIGINT NOT NULL,
  name TEXT NOT NULL,
  begins DOUBLE PRECISION,
  ends DOUBLE PRECISION,
  due DOUBLE PRECISION,
  status TEXT DEFAULT 'open' NOT NULL,
  answers BIGINT DEFAULT '0' NOT NULL,
  late BIGINT DEFAULT '0' NOT NULL,
  closed DOUBLE PRECISION,
  note TEXT,
  summary BYTEA,
  texts BYTEA,
  PRIMARY KEY (stream, number),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
CREATE INDEX rounds_by_status ON rounds (status, due);
CREATE TABLE sessions (
  hash BYTEA NOT NULL,
  "user" BIGINT NOT NULL,
  csrf TEXT NOT NULL,
  created DOUBLE PRECISION NOT NULL,
  expires DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (hash),
  FOREIGN KEY("user") REFERENCES users (id)
);
CREATE TABLE verdicts (
  stream BIGINT NOT NULL,
  round BIGINT NOT NULL,
  metric TEXT NOT NULL,
  "group" TEXT NOT NULL,
  chart TEXT NOT NULL,
  state TEXT NOT NULL,
  value DOUBLE PRECISION,
  statistic DOUBLE PRECISION,
  "limit" DOUBLE PRECISION,
  evidence DOUBLE PRECISION,
  since BIGINT,
  PRIMARY KEY (stream, round, metric, "group", chart),
  FOREIGN KEY(stream) REFERENCES streams (id)
);
