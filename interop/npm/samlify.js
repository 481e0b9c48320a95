// An identity provider on samlify that signs one person in without asking.
// usage: node samlify.js CONFIG.json
const fs = require('fs');
const http = require('http');
const samlify = require('samlify');

// Our requests are the test's own; whether they are valid is tested elsewhere.
samlify.setSchemaValidator({ validate: () => Promise.resolve('skipped') });

const C = JSON.parse(fs.readFileSync(process.argv[2]));
const key = fs.readFileSync(C.dir + '/idp.key.pem');
const cert = fs.readFileSync(C.dir + '/idp.crt.pem');
const basic = 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic';
const attribute = (name, tag) => ({ name, valueTag: tag, nameFormat: basic, valueXsiType: 'xs:string' });
const idp = samlify.IdentityProvider({
  entityID: C.base + '/metadata', privateKey: key, signingCert: cert,
  isAssertionEncrypted: !!C.encryption,
  dataEncryptionAlgorithm: C.encryption || undefined,
  keyEncryptionAlgorithm: C.key_encryption || undefined,
  requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  wantAuthnRequestsSigned: C.want_signed,
  messageSigningOrder: C.order || 'sign-then-encrypt',
  nameIDFormat: ['urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'],
  singleSignOnService: [
    { Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', Location: C.base + '/sso' },
    { Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST', Location: C.base + '/sso' },
  ],
  singleLogoutService: [{ Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', Location: C.base + '/slo' }],
  wantLogoutRequestSigned: C.want_signed, wantLogoutResponseSigned: C.want_signed,
  loginResponseTemplate: {
    context: samlify.SamlLib.defaultLoginResponseTemplate.context,
    attributes: [attribute('email', 'user.email'), attribute('firstName', 'user.first'), attribute('lastName', 'user.last'), attribute('groups', 'user.group')],
  },
});
const sp = samlify.ServiceProvider({ metadata: fs.readFileSync(C.dir + '/sp.xml'), wantMessageSigned: C.sign_response,
  wantLogoutRequestSigned: true, wantLogoutResponseSigned: true });

function fill(request) {
  return (template) => {
    const now = new Date();
    const at = (ms) => new Date(now.getTime() + ms).toISOString();
    const id = '_' + require('crypto').randomBytes(16).toString('hex');
    const values = {
      ID: '_' + require('crypto').randomBytes(16).toString('hex'), AssertionID: id, Destination: C.acs, Audience: C.entity_id, EntityID: C.entity_id,
      SubjectRecipient: C.acs, Issuer: C.base + '/metadata', IssueInstant: at(0), AssertionConsumerServiceURL: C.acs,
      StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success', ConditionsNotBefore: at(0), ConditionsNotOnOrAfter: at(300000),
      SubjectConfirmationDataNotOnOrAfter: at(300000), NameIDFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress', NameID: 'алиса@example.com',
      InResponseTo: request ? request.extract.request.id : '',
    };
    // Values are escaped, so what is XML goes into the template itself.
    const statement = `<saml:AuthnStatement AuthnInstant="${at(0)}" SessionIndex="_s1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;
    template = template.replace('{AuthnStatement}', statement);
    if (!request) template = template.replaceAll(' InResponseTo="{InResponseTo}"', '');
    Object.assign(values, {
      attrUserEmail: 'alice@example.com', attrUserFirst: 'Алиса 🐇', attrUserLast: 'Лидделл', attrUserGroup: 'R&D <core>',
    });
    return { id, context: samlify.SamlLib.replaceTagsByValue(template, values) };
  };
}

async function login(req, url, body) {
  const query = Object.fromEntries(url.searchParams);
  const form = Object.fromEntries(new URLSearchParams(body));
  let request;
  if (url.pathname !== '/start') {
    const binding = req.method === 'POST' ? 'post' : 'redirect';
    request = await idp.parseLoginRequest(sp, binding, { query, body: form, octetString: octets(url) });
  }
  const answer = await idp.createLoginResponse(sp, request || {}, 'post', { email: 'alice@example.com' }, fill(request), C.order === 'encrypt-then-sign');
  const relay = query.RelayState || form.RelayState || '';
  return `<form method="post" action="${C.acs}"><input name="SAMLResponse" value="${answer.context}"><input name="RelayState" value="${relay}"></form>`;
}

// The octets that were signed, exactly as they were sent.
const octets = (url) => url.search.slice(1).split('&').filter((p) => /^(SAMLRequest|SAMLResponse|RelayState|SigAlg)=/.test(p)).join('&');

async function logout(url) {
  const query = Object.fromEntries(url.searchParams);
  if (url.pathname === '/start-logout') {
    return { to: idp.createLogoutRequest(sp, 'redirect', { logoutNameID: 'алиса@example.com', sessionIndex: query.session }).context };
  }
  if (query.SAMLResponse) {
    await idp.parseLogoutResponse(sp, 'redirect', { query, octetString: octets(url) });
    return { page: 'logged out' };
  }
  const request = await idp.parseLogoutRequest(sp, 'redirect', { query, octetString: octets(url) });
  return { to: idp.createLogoutResponse(sp, request, 'redirect', query.RelayState || '').context };
}

http.createServer((req, res) => {
  let body = '';
  req.on('data', (part) => (body += part));
  req.on('end', () => {
    const url = new URL(req.url, C.base);
    if (url.pathname === '/healthy') return res.end('ok');
    if (url.pathname === '/metadata') return res.end(idp.getMetadata());
    const fail = (err) => { res.statusCode = 500; res.end(String(err && err.stack || err)); };
    if (url.pathname === '/slo' || url.pathname === '/start-logout') {
      return logout(url).then((out) => {
        if (out.to) res.writeHead(303, { Location: out.to });
        res.end(out.page || '');
      }, fail);
    }
    login(req, url, body).then((page) => res.end(page), fail);
  });
}).listen(C.port, '127.0.0.1');
