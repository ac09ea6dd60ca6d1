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

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "base/bytes.h"
#include "tls/psk.h"
#include "tls/secret.h"
#include "tls/trust.h"

namespace noded::tls {

class SessionCache;
struct Options;

enum class Role { kServer, kClient };

enum class Version { kTls12, kTls13 };

// Who we are.
struct Identity {
  // PEM; several entries allowed: our certificate first, then intermediates, and perhaps the key.
  std::string certfile;
  // PEM with the private key; empty means certfile.
  std::string keyfile;
  // Of an encrypted key, wherever the key comes from; or a function that gives it, called each time
  // that the key is read, on any thread.
  Secret password;
  std::function<Secret()> password_fun;
  // Instead of certfile: our certificate, then intermediates, each DER or PEM.
  std::vector<base::Slice> certs;
  // Instead of keyfile: one key, DER (PKCS#8, PKCS#1, SEC 1) or PEM.
  Secret key;
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
  // The same, for the signatures within certificates. Empty: as signature_algorithms.
  std::vector<std::string> certificate_signature_algorithms;
  // Server, TLS 1.2 DHE suites: a PEM file with DH parameters, or the parameters in DER (`dh`),
  // which win. Both empty: RFC 7919 ffdhe2048.
  std::string dhfile;
  base::Slice dh;
};

struct Sessions {
  // TLS 1.2 session ids and tickets, TLS 1.3 tickets: what was proven once goes on without
  // certificates. Off: every connection proves its certificate anew.
  bool reuse_sessions = true;
  // Client, `reuse_session`: go on with this one alone (the content of a StoredSession); nothing is
  // kept then.
  base::Slice reuse_session;
  // Server, `reuse_session`: may this session of this peer be gone on with? Null: yes. Called on
  // the connection's loop; a ticket's id is its SHA-256 in TLS 1.3, and the client's choice in 1.2.
  std::function<bool(const base::Slice& session_id, const CertificateInfo* peer, Version version,
                     std::string_view cipher_suite)>
      reuse_fun;
  // How long a session lives, counted from the whole handshake that it goes back to; RFC 8446
  // allows 7 days at most.
  std::chrono::seconds lifetime{24 * 60 * 60};
  // Null: a cache in memory of the context's own, with 1000 entries.
  std::shared_ptr<SessionCache> cache;
  size_t cache_max = 1000;
};

// TLS 1.2's second handshake on an open connection.
struct Renegotiation {
  // Peers must support RFC 5746. Off lets a peer without it connect, never renegotiate.
  bool secure_renegotiate = true;
  // Server: a client may renegotiate.
  bool client_renegotiation = true;
};

// By the name that a client asks for (SNI). A host's options are whole ones: begin with a copy of
// the server's. A name that neither knows gets the server's own, as RFC 6066 allows and OTP does;
// an empty name, or one that ends with a dot, is refused (unrecognized_name). `fun` is called on
// the connection's loop and must not block; one Options object it returns is one context, so keep
// it.
using SniFun = std::function<std::shared_ptr<const Options>(std::string_view server_name)>;
struct ServerNames {
  // Host name -> what replaces the server's own options. Exclusive with `fun`.
  std::map<std::string, std::shared_ptr<const Options>> hosts;
  // Null result: the server's own options.
  SniFun fun;
};

struct Alpn {
  // Client: offered; server: preferred, best first. Empty: the extension is not used.
  std::vector<std::string> protocols;
};

// What goes on while a connection is open.
struct Traffic {
  // TLS 1.3: plaintext bytes sent under one key, then KeyUpdate. OTP's default; RFC 8446 5.5
  // allows AES-GCM 2^24.5 full records.
  uint64_t key_update_at = 388736063997;
  // TLS 1.2: records sent, then renegotiation. OTP's default.
  uint64_t renegotiate_at = 268435456;
  // `max_fragment_length` asked for by a client (RFC 6066): 512, 1024, 2048, 4096; 0 asks for none.
  // In effect with TLS 1.2 alone.
  size_t max_fragment_length = 0;
  // An idle connection drops its buffers after this; unset: never.
  std::optional<std::chrono::milliseconds> hibernate_after;
  // NSSLKEYLOGFILE lines go here; null: none. Whoever reads them reads the traffic.
  std::function<void(std::string_view line)> keylog;
  // A line in the log for an alert that ends a connection, sent or received.
  bool log_alert = true;
  // How long, at most, a connection that is over is kept so that the peer gets the last words, an
  // alert or close_notify. OTP's parameter of the application (tls/ssl.h sets it from there).
  std::chrono::milliseconds alert_timeout{5000};
};

struct Options {
  Identity identity;
  // Several certificates, each with its key, instead of `identity` (`certs_keys`): the first that
  // the peer can use is shown.
  std::vector<Identity> certs_keys;
  Trust trust;
  Revocation revocation;
  Versions versions;
  Ciphers ciphers;
  Psk psk;
  Sessions sessions;
  Renegotiation renegotiation;
  ServerNames server_names;
  Alpn alpn;
  Traffic traffic;
};

// What `trust.verify` comes to for this role.
Verify EffectiveVerify(const Trust& trust, Role role);

// `certs_keys`, or `identity` alone; empty when there is no certificate.
std::vector<const Identity*> IdentitiesOf(const Options& options);

// Pre-shared keys are all that this side has to prove itself or the peer by (tls/psk.h).
bool IsPskOnly(const Options& options, Role role);

// Contradictions and values out of range that can be told without reading a file.
absl::Status Validate(const Options& options, Role role);

// Empties what nobody but the engine may know: keys, passwords and sessions, those of hosts too.
void ClearSecrets(Options& options);

// "server" or "client", as in the names of `-ssl_dist_opt`.
const char* RoleName(Role role);
// "tlsv1.2" or "tlsv1.3", Erlang's spelling.
const char* VersionName(Version version);

}  // namespace noded::tls
