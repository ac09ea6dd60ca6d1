// The other end of a TLS connection, for tests that go through many options: openssl, gnutls, OTP's
// `ssl` and our own, each as server and as client, told what to do in the same words.
//
//   auto peer = MakePeer(PeerKind::kGnutls, version);
//   const uint16_t port = peer->Serve(setup);      // echoes (openssl: backwards) the line it gets
//   peer->Connect(our_port, setup);                // says kGreeting
//   peer->Log();                                   // for messages
//
// Each call takes the place of the one before. What a peer cannot do is a test failure. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/testlib/test_certs.h"
#include "tls/options.h"

namespace noded::interop {

inline constexpr char kGreeting[] = "hello\n";

enum class PeerKind { kOpenssl, kGnutls, kOtp, kOurs };
const char* PeerName(PeerKind kind);

struct PeerSetup {
  // What it shows, and whom it believes; a peer always checks us and, as a server, insists.
  testlib::CertFiles files;
  std::string cacertfile;
  bool shows_certificate = true;
  // A client's: SNI, and what our certificate must carry.
  std::string host = "b.example";
  // The only one that it has; empty: all. With TLS 1.2 the suites are ECDHE's unless `is_dhe`.
  enum class Cipher { kAny, kAes256Gcm } cipher = Cipher::kAny;
  bool is_dhe = false;
  std::string group;  // IANA name
  std::vector<std::string> alpn;
};

class TlsPeer {
 public:
  virtual ~TlsPeer() = default;
  virtual uint16_t Serve(const PeerSetup& setup) = 0;
  virtual void Connect(uint16_t port, const PeerSetup& setup) = 0;
  // What it answers to kGreeting.
  virtual std::string Answer() const { return kGreeting; }
  virtual std::string Log() = 0;
};

std::unique_ptr<TlsPeer> MakePeer(PeerKind kind, tls::Version version);

}  // namespace noded::interop
