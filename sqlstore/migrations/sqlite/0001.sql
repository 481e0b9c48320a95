-- Times are milliseconds since 1970, UTC. The names of states, replays,
-- invitations and subjects are hashes: see internal/sealed.

CREATE TABLE sso_connections (
	id      TEXT    NOT NULL PRIMARY KEY,
	version INTEGER NOT NULL,
	body    TEXT    NOT NULL
) STRICT;

CREATE TABLE sso_states (
	id      BLOB    NOT NULL PRIMARY KEY,
	body    BLOB    NOT NULL,
	expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sso_states_expires ON sso_states (expires);

CREATE TABLE sso_replays (
	id      BLOB    NOT NULL PRIMARY KEY,
	expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sso_replays_expires ON sso_replays (expires);

CREATE TABLE sso_invitations (
	id            BLOB    NOT NULL PRIMARY KEY,
	connection_id TEXT    NOT NULL,
	body          TEXT    NOT NULL,
	max_uses      INTEGER NOT NULL,
	uses          INTEGER NOT NULL,
	expires       INTEGER
) STRICT;

CREATE INDEX sso_invitations_connection ON sso_invitations (connection_id);
CREATE INDEX sso_invitations_expires ON sso_invitations (expires);

CREATE TABLE sso_redemptions (
	invitation BLOB    NOT NULL,
	subject    BLOB    NOT NULL,
	redeemed   INTEGER NOT NULL,
	PRIMARY KEY (invitation, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX sso_redemptions_redeemed ON sso_redemptions (redeemed);
