-- Times are milliseconds since 1970, UTC. The names of states, replays,
-- invitations and subjects are hashes: see internal/sealed.

CREATE TABLE sso_connections (
	id      text   COLLATE "C" NOT NULL PRIMARY KEY,
	version bigint NOT NULL,
	body    text   NOT NULL
);

CREATE TABLE sso_states (
	id      bytea  NOT NULL PRIMARY KEY,
	body    bytea  NOT NULL,
	expires bigint NOT NULL
);

CREATE INDEX sso_states_expires ON sso_states (expires);

CREATE TABLE sso_replays (
	id      bytea  NOT NULL PRIMARY KEY,
	expires bigint NOT NULL
);

CREATE INDEX sso_replays_expires ON sso_replays (expires);

CREATE TABLE sso_invitations (
	id            bytea  NOT NULL PRIMARY KEY,
	connection_id text   COLLATE "C" NOT NULL,
	body          text   NOT NULL,
	max_uses      bigint NOT NULL,
	uses          bigint NOT NULL,
	expires       bigint
);

CREATE INDEX sso_invitations_connection ON sso_invitations (connection_id);
CREATE INDEX sso_invitations_expires ON sso_invitations (expires);

CREATE TABLE sso_redemptions (
	invitation bytea  NOT NULL,
	subject    bytea  NOT NULL,
	redeemed   bigint NOT NULL,
	PRIMARY KEY (invitation, subject)
);

CREATE INDEX sso_redemptions_redeemed ON sso_redemptions (redeemed);
