// What a user may choose about TLS, one small struct a concern. Erlang's spelling of these options
// (`-ssl_dist_opt`, option files) is not here: dist/carrier/tls_options.h maps it to these fields.
//
//   Options server;
//   server.identity.certfile = "/etc/noded/node.pem";      // chain and, without keyfile, the key
//   server.trust.cacertfile = "/etc/noded/ca.pem";
//   server.trust.verify = Verify::kPeer;
//   server.trust.fail_if_no_peer_cert = true;
//   RETURN_IF_ERROR(Validate(server, Role::kServer));       // names the option and the mend
//   auto context = Context::Create(server, Role::kServer);  // reads the files (tls/context.h)
//
// Plain values without behaviour; thread-safe while nobody changes them. A server and a client have
// an Options each. Defaults are those of OTP's `ssl` application unless said otherwise. Errors of
// Validate: InvalidArgument, "option server_depth: ...". Source: OTP, `ssl` reference manual, types
// common_option, server_option, client_option.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "base/bytes.h"
#include "tls/secret.h"

namespace noded::tls {

enum class Role { kServer, kClient };

enum class Version { kTls12, kTls13 };

enum class Verify { kNone, kPeer };

// Who we are.
struct Identity {
  // PEM; several entries allowed: our certificate first, then intermediates, and perhaps the key.
  std::string certfile;
  // PEM with the private key; empty means certfile.
  std::string keyfile;
  // Of an encrypted key, wherever the key comes from.
  Secret password;
  // Instead of certfile: our certificate, then intermediates, each DER or PEM.
  std::vector<base::Slice> certs;
  // Instead of keyfile: one key, DER (PKCS#8, PKCS#1, SEC 1) or PEM.
  Secret key;
};

// What OTP calls `server_name_indication`, at a client.
enum class NameCheck {
  kPeerHost,  // send and check the host that we connect to
  kGiven,     // send and check Trust::server_name instead
  kDisabled,  // send none, check none
};

// Whom we believe.
struct Trust {
  // PEM file of trust anchors.
  std::string cacertfile;
  // Trust anchors besides, each DER or PEM.
  std::vector<base::Slice> cacerts;
  // Unset: what OTP 26 and later do, as far as it can work. A client verifies when it has trust
  // anchors, a server does not verify. See Warnings() in tls/context.h.
  std::optional<Verify> verify;
  // Server with kPeer: refuse a client that sends no certificate (else it is let in unnamed, while
  // a certificate that does not verify is refused anyway).
  bool fail_if_no_peer_cert = false;
  // The most intermediate certificates between the peer's certificate and a trust anchor. 10 is
  // OTP's today; before OTP 24 it was 1.
  int depth = 10;
  // Client: the name that goes into SNI and that the server's certificate must carry. A literal IP
  // address is checked against IP entries too, and is never sent as SNI (RFC 6066).
  NameCheck name_check = NameCheck::kPeerHost;
  std::string server_name;
};

// Both by default. (OTP's distribution offers 1.2 alone unless `versions` is given; a noded talks
// to either, and two noded meet on 1.3.)
struct Versions {
  bool tls12 = true;
  bool tls13 = true;
};

struct Ciphers {
  // IANA names ("TLS_AES_256_GCM_SHA384"), best first. Empty: DefaultCipherSuites()
  // (tls/ciphers.h).
  std::vector<std::string> suites;
  // Server: our order decides, not the client's. The same default as OTP.
  bool honor_cipher_order = false;
  // IANA names of groups, best first ("x25519", "secp256r1", "ffdhe2048"). Empty: DefaultGroups().
  std::vector<std::string> groups;
  // IANA names of signature schemes, best first ("ecdsa_secp256r1_sha256"). Empty: all without
  // SHA-1.
  std::vector<std::string> signature_algorithms;
  // PEM file with DH parameters for TLS 1.2 DHE suites. Empty: RFC 7919 ffdhe2048.
  std::string dhfile;
};

struct Sessions {
  // TLS 1.2 session ids and tickets, TLS 1.3 tickets. In this version no session is ever resumed:
  // every connection proves its certificate anew. Accepted so that OTP's options work.
  bool reuse_sessions = true;
  // TLS 1.2: peers must support RFC 5746. Off lets a peer without it connect, never renegotiate.
  bool secure_renegotiate = true;
  // Server, TLS 1.2: a client may renegotiate.
  bool client_renegotiation = true;
};

struct Alpn {
  // Client: offered; server: preferred, best first. Empty: the extension is not used.
  std::vector<std::string> protocols;
};

struct Options {
  Identity identity;
  Trust trust;
  Versions versions;
  Ciphers ciphers;
  Sessions sessions;
  Alpn alpn;
};

// What `trust.verify` comes to for this role.
Verify EffectiveVerify(const Trust& trust, Role role);

// Contradictions and values out of range that can be told without reading a file.
absl::Status Validate(const Options& options, Role role);

// "server" or "client", as in the names of `-ssl_dist_opt`.
const char* RoleName(Role role);
// "tlsv1.2" or "tlsv1.3", Erlang's spelling.
const char* VersionName(Version version);

}  // namespace noded::tls
