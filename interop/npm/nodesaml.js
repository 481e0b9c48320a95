// Reads answers with @node-saml/node-saml: one JSON object on a line in, one out.
// The clock is set for each, so that messages of the past can be read.
const readline = require('readline');
const { SAML } = require('@node-saml/node-saml');

let now = 0;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) { if (args.length) super(...args); else super(now); }
  static now() { return now; }
};

async function read(q) {
  now = q.now;
  const requests = new Map([[q.request, new RealDate(now).toISOString()]]);
  const cache = {
    saveAsync: async (key, value) => (requests.set(key, value), { value, createdAt: now }),
    getAsync: async (key) => requests.get(key) || null,
    removeAsync: async (key) => (requests.delete(key) ? key : null),
  };
  const saml = new SAML({
    callbackUrl: q.acs, issuer: q.entity_id, audience: q.entity_id, idpCert: q.certificates, idpIssuer: q.idp_entity_id,
    entryPoint: 'https://unused.example.com/', decryptionPvk: q.decryption_key || undefined, acceptedClockSkewMs: q.skew,
    wantAssertionsSigned: false, wantAuthnResponseSigned: false,
    validateInResponseTo: q.request ? 'always' : 'never', cacheProvider: cache,
  });
  const { profile } = await saml.validatePostResponseAsync({ SAMLResponse: q.message });
  const attributes = {};
  for (const [name, value] of Object.entries(profile.attributes || {})) {
    attributes[name] = (Array.isArray(value) ? value : [value]).map((v) => (typeof v === 'string' ? v : JSON.stringify(v)));
  }
  return { ok: true, name_id: profile.nameID || '', format: profile.nameIDFormat || '', session: profile.sessionIndex || '', attributes };
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  let out;
  try {
    out = await read(JSON.parse(line));
  } catch (err) {
    out = { ok: false, error: String((err && err.message) || err) };
  }
  process.stdout.write(JSON.stringify(out) + '\n');
});
