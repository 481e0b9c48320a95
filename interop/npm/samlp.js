// An identity provider on samlp, the library under Auth0's SAML add-on, that
// signs one person in without asking. usage: node samlp.js CONFIG.json
const fs = require('fs');
const http = require('http');
const samlp = require('samlp');

const C = JSON.parse(fs.readFileSync(process.argv[2]));
const key = fs.readFileSync(C.dir + '/idp.key.pem');
const cert = fs.readFileSync(C.dir + '/idp.crt.pem');
const person = {
  id: 'alice@example.com', emails: [{ value: 'alice@example.com' }], displayName: 'Алиса 🐇',
  name: { givenName: 'Алиса 🐇', familyName: 'Лидделл' },
};
const claim = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';
function profileMapper() { return {
  getClaims: () => ({
    [claim + 'emailaddress']: 'alice@example.com', [claim + 'givenname']: 'Алиса 🐇', [claim + 'surname']: 'Лидделл',
    groups: ['Продажи', 'Support', 'R&D <core>'],
  }),
  getNameIdentifier: () => ({ nameIdentifier: 'алиса@example.com', nameIdentifierFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress' }),
}; }
profileMapper.prototype.metadata = [];
const options = {
  issuer: C.base + '/metadata', cert, key, profileMapper,
  getPostURL: (audience, request, req, done) => done(null, C.acs),
  destination: C.acs, recipient: C.acs, audience: C.entity_id, lifetimeInSeconds: 300,
  signResponse: C.sign_response, signAssertion: C.sign_assertion, sessionIndex: '_s1',
};
if (C.encryption) {
  options.encryptionCert = fs.readFileSync(C.dir + '/sp-encryption.crt.pem');
  options.encryptionPublicKey = require('crypto').createPublicKey(options.encryptionCert).export({ type: 'spki', format: 'pem' });
  options.encryptionAlgorithm = C.encryption;
  options.disallowEncryptionWithInsecureAlgorithm = false;
  options.warnOnInsecureEncryptionAlgorithm = false;
}

// Sessions at this one service provider, and what a logout under way needs.
const SessionParticipants = require('samlp/lib/sessionParticipants');
let sessions = new SessionParticipants([]);
function remember() {
  sessions = new SessionParticipants([{
    serviceProviderId: C.entity_id, nameId: 'алиса@example.com', nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    sessionIndex: '_s1', serviceProviderLogoutURL: C.slo, cert: fs.readFileSync(C.dir + '/sp-signing.crt.pem', 'utf8'),
  }]);
}
const states = new Map();
const store = {
  save: (req, state, done) => {
    const handle = require('crypto').randomBytes(16).toString('hex');
    states.set(handle, state);
    done(null, handle);
  },
  load: (req, handle, options, done) => (done || options)(null, states.get(handle)),
  update: (req, handle, state, done) => { states.set(handle, state); done(); },
};
const logout = () => samlp.logout({
  issuer: C.base + '/metadata', cert, key, deflate: true, protocolBinding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
  signatureAlgorithm: 'rsa-sha256', digestAlgorithm: 'sha256', sessionParticipants: sessions, store, destination: C.slo,
});

// What samlp expects of express.
function shim(req, res, body) {
  const url = new URL(req.url, C.base);
  req.query = Object.fromEntries(url.searchParams);
  req.body = Object.fromEntries(new URLSearchParams(body));
  req.user = person;
  req.protocol = 'http';
  req.originalUrl = req.url;
  res.set = (name, value) => res.setHeader(name, value);
  res.redirect = (to) => { res.writeHead(303, { Location: to }); res.end(); };
  res.send = (data) => {
    if (typeof data === 'number') res.statusCode = data, data = '';
    res.end(data);
  };
  return url.pathname;
}

http.createServer((req, res) => {
  let body = '';
  req.on('data', (part) => (body += part));
  req.on('end', () => {
    const path = shim(req, res, body);
    const fail = (err) => { res.statusCode = 500; res.end(String(err && err.stack || err)); };
    try {
      if (path === '/healthy') return res.end('ok');
      if (path === '/metadata') {
        return samlp.metadata({ issuer: C.base + '/metadata', cert, redirectEndpointPath: '/sso', postEndpointPath: '/sso', profileMapper,
          logoutEndpointPaths: { redirect: '/slo' } })(req, res, fail);
      }
      if (path === '/denied') {
        return samlp.sendError({ issuer: C.base + '/metadata', cert, key, signatureAlgorithm: 'rsa-sha256', digestAlgorithm: 'sha256', destination: C.acs,
          getPostURL: (...args) => args[args.length - 1](null, C.acs), error: { code: 'urn:oasis:names:tc:SAML:2.0:status:Responder', description: 'Доступ закрыт' } })(req, res, fail);
      }
      if (path === '/slo' || path === '/start-logout') return logout()(req, res, fail);
      remember();
      if (path === '/start') delete req.query.SAMLRequest;
      samlp.auth(options)(req, res, fail);
    } catch (err) { fail(err); }
  });
}).listen(C.port, '127.0.0.1');
