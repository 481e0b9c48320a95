"""A pysaml2 identity provider that signs one person in without asking.

usage: idp.py CONFIG.json

The configuration names the port, the directory with key, certificate and the
service provider's metadata, and what to sign and encrypt.
"""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import saml2.entity
import saml2.sigver
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.samlp import STATUS_NO_PASSIVE, STATUS_REQUEST_DENIED
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS, NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.sigver import verify_redirect_signature

with open(sys.argv[1], encoding="utf-8") as f:
    C = json.load(f)
BASE = C["base"]
DIR = C["dir"]

CONFIG = {
    "entityid": BASE + "/metadata",
    "xmlsec_binary": C["xmlsec1"],
    "allow_unknown_attributes": True,
    "service": {
        "idp": {
            "name": "practice",
            "endpoints": {
                "single_sign_on_service": [(BASE + "/sso", BINDING_HTTP_REDIRECT), (BASE + "/sso", BINDING_HTTP_POST)],
                "single_logout_service": [(BASE + "/slo", BINDING_HTTP_REDIRECT), (BASE + "/slo", BINDING_HTTP_POST)],
            },
            "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None,
                                   "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"}},
            "name_id_format": [NAMEID_FORMAT_EMAILADDRESS, NAMEID_FORMAT_PERSISTENT],
            "sign_response": C["sign_response"],
            "sign_assertion": C["sign_assertion"],
            "want_authn_requests_signed": C.get("want_signed_post", False),
        }
    },
    "key_file": DIR + "/idp.key.pem",
    "cert_file": DIR + "/idp.crt.pem",
    "metadata": {"local": [DIR + "/sp.xml"]},
    "debug": 0,
}
# pysaml2 encrypts with 3DES and has no setting for anything else: the template
# and the session key are given another algorithm here.
CONTENT, SESSION_KEY = C.get("encryption") or ["http://www.w3.org/2009/xmlenc11#aes256-gcm", "aes-256"]
if CONTENT:
    plain = saml2.sigver.pre_encryption_part
    saml2.entity.pre_encryption_part = lambda **kw: plain(msg_enc=CONTENT, **kw)
    encrypt = saml2.sigver.CryptoBackendXmlSec1.encrypt_assertion
    saml2.sigver.CryptoBackendXmlSec1.encrypt_assertion = (
        lambda self, statement, key, template, key_type=None, *args: encrypt(self, statement, key, template, SESSION_KEY, *args))

IDP = Server(config=IdPConfig().load(CONFIG))


def check_redirect_signature(params):
    """pysaml2 7.0 leaves the signature of the redirect binding to its caller."""
    found = IDP.metadata.certs(C["sp_entity_id"], "any", "signing")[0]
    cert = "".join((found[1] if isinstance(found, tuple) else found).split())
    message = {k: v[0] for k, v in params.items()}
    if not verify_redirect_signature(message, IDP.sec.sec_backend, cert):
        raise ValueError("the redirect's signature does not hold")


def answer(message, binding, relay_state):
    """The answer to an AuthnRequest: what the browser gets."""
    req = IDP.parse_authn_request(message, binding)
    args = IDP.response_args(req.message, [BINDING_HTTP_POST])
    destination = args["destination"]
    refusal = refusal_of(req.message)
    if refusal:
        resp = IDP.create_error_response(req.message.id, destination, refusal, sign=C["sign_response"],
                                         sign_alg=C.get("sign_alg"), digest_alg=C.get("digest_alg"))
        return IDP.apply_binding(BINDING_HTTP_POST, str(resp), destination, relay_state, response=True)
    args.pop("binding", None)
    return signed_in(args, destination, relay_state)


def refusal_of(message):
    """The status of a refusal, if the configuration wants one."""
    if C.get("denies"):
        return STATUS_REQUEST_DENIED, "Доступ закрыт"
    if C.get("nobody") and message.is_passive == "true":
        return STATUS_NO_PASSIVE, "Никто не вошёл"
    return None


def unsolicited():
    """An answer to no request."""
    args = {"in_response_to": None, "destination": C["acs"], "sp_entity_id": C["sp_entity_id"]}
    return signed_in(args, C["acs"], "handle")


def signed_in(args, destination, relay_state):
    """The answer that says who is there."""
    name_id = NameID(format=C.get("name_id_format", NAMEID_FORMAT_EMAILADDRESS), text=C["name_id"])
    args.pop("name_id_policy", None)
    resp = IDP.create_authn_response(
        C["identity"], userid=C["name_id"], name_id=name_id,
        authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "authn_auth": BASE},
        sign_response=C["sign_response"], sign_assertion=C["sign_assertion"],
        encrypt_assertion=C.get("encrypt_assertion", False),
        encrypted_advice_attributes=False,
        sign_alg=C.get("sign_alg"), digest_alg=C.get("digest_alg"), **args)
    return IDP.apply_binding(BINDING_HTTP_POST, str(resp), destination, relay_state, response=True)


def logout(message, binding, relay_state):
    """Answers a LogoutRequest with success."""
    req = IDP.parse_logout_request(message, binding)
    resp = IDP.create_logout_response(req.message, [BINDING_HTTP_REDIRECT], sign=False)
    destination = C["sp_slo"]
    return IDP.apply_binding(BINDING_HTTP_REDIRECT, str(resp), destination, relay_state, response=True,
                             sign=True, sigalg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")


def request_logout(session_index):
    """A LogoutRequest of the IdP's own."""
    name_id = NameID(format=NAMEID_FORMAT_EMAILADDRESS, text=C["name_id"])
    _, req = IDP.create_logout_request(C["sp_slo"], C["sp_entity_id"], name_id=name_id,
                                       session_indexes=[session_index] if session_index else None, sign=False)
    return IDP.apply_binding(BINDING_HTTP_REDIRECT, str(req), C["sp_slo"], "", sign=True,
                             sigalg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def send(self, http):
        data = http["data"]
        if isinstance(data, list):
            data = "".join(data)
        body = data.encode()
        self.send_response(http.get("status", 200) if http.get("method") != "GET" or "headers" not in http else 303)
        for k, v in http.get("headers", []):
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self, params, binding):
        path = urlsplit(self.path).path
        one = lambda name: params.get(name, [""])[0]
        try:
            if binding == BINDING_HTTP_REDIRECT and C["want_signed"] and path in ("/sso", "/slo"):
                check_redirect_signature(params)
            if path == "/sso":
                self.send(answer(one("SAMLRequest"), binding, one("RelayState")))
            elif path == "/slo" and one("SAMLResponse"):
                IDP.parse_logout_request_response(one("SAMLResponse"), binding)
                self.send({"data": "logged out", "headers": [], "method": "GET2"})
            elif path == "/slo":
                self.send(logout(one("SAMLRequest"), binding, one("RelayState")))
            elif path == "/start":
                self.send(unsolicited())
            elif path == "/start-logout":
                self.send(request_logout(one("session")))
            elif path == "/metadata":
                from saml2.metadata import entity_descriptor
                self.send({"data": str(entity_descriptor(IDP.config)), "headers": [("Content-Type", "application/samlmetadata+xml")], "method": "GET2"})
            elif path == "/healthy":
                self.send({"data": "ok", "method": "GET2"})
            else:
                self.send_error(404)
        except Exception as e:  # the test reads it
            import traceback
            body = traceback.format_exc().encode()
            self.send_response(500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_GET(self):
        self.serve(parse_qs(urlsplit(self.path).query, keep_blank_values=True), BINDING_HTTP_REDIRECT)

    def do_POST(self):
        n = int(self.headers.get("Content-Length", "0"))
        self.serve(parse_qs(self.rfile.read(n).decode(), keep_blank_values=True), BINDING_HTTP_POST)


ThreadingHTTPServer(("127.0.0.1", C["port"]), Handler).serve_forever()
