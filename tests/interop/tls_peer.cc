#include "tests/interop/tls_peer.h"

#include <future>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/process.h"
#include "tls/ssl.h"

namespace noded::interop {
namespace {

using Cipher = PeerSetup::Cipher;
using testlib::Process;
using tls::Version;
using Words = std::vector<std::string>;

// A program for one connection.
class ProcessPeer : public TlsPeer {
 public:
  explicit ProcessPeer(Version version) : version_(version) {}
  std::string Log() override { return process_ ? process_->Out() + process_->Err() : ""; }

 protected:
  bool is_tls12() const { return version_ == Version::kTls12; }
  void Start(Words argv) {
    process_.reset();
    auto started = Process::Start({.argv = std::move(argv), .has_input = true});
    ASSERT_TRUE(started.ok()) << started.status();
    process_ = *std::move(started);
  }
  void Greet() {
    // It may have been refused already.
    if (process_) process_->Write(kGreeting).IgnoreError();
  }
  std::unique_ptr<Process> process_;

 private:
  const Version version_;
};

class OpensslPeer : public ProcessPeer {
 public:
  using ProcessPeer::ProcessPeer;
  uint16_t Serve(const PeerSetup& setup) override {
    Words argv = {"openssl", "s_server", "-accept", "127.0.0.1:0",
                  "-rev",    "-Verify",  "5",       "-verify_return_error"};
    Common(setup, argv);
    Start(std::move(argv));
    auto line = process_->WaitForOutput("ACCEPT 127.0.0.1:([0-9]+)");
    EXPECT_TRUE(line.ok()) << line.status();
    return line.ok() ? static_cast<uint16_t>(std::stoi((*line)[1])) : 0;
  }
  void Connect(uint16_t port, const PeerSetup& setup) override {
    Words argv = {"openssl",
                  "s_client",
                  "-quiet",
                  "-connect",
                  fmt::format("127.0.0.1:{}", port),
                  "-servername",
                  setup.host,
                  "-verify_hostname",
                  setup.host,
                  "-verify_return_error"};
    Common(setup, argv);
    Start(std::move(argv));
    Greet();
  }
  std::string Answer() const override { return "olleh\n"; }

 private:
  void Common(const PeerSetup& setup, Words& argv) const {
    argv.insert(argv.end(), {"-CAfile", setup.cacertfile, is_tls12() ? "-tls1_2" : "-tls1_3"});
    if (setup.shows_certificate) {
      // With the intermediates that follow in the file.
      argv.insert(argv.end(), {"-cert", setup.files.cert, "-key", setup.files.key, "-cert_chain",
                               setup.files.cert});
    }
    if (setup.is_dhe) argv.insert(argv.end(), {"-cipher", "DHE-RSA-AES256-GCM-SHA384"});
    if (setup.cipher == Cipher::kAes256Gcm) {
      argv.insert(argv.end(),
                  {is_tls12() ? "-cipher" : "-ciphersuites",
                   is_tls12() ? "ECDHE-ECDSA-AES256-GCM-SHA384" : "TLS_AES_256_GCM_SHA384"});
    }
    if (!setup.group.empty()) argv.insert(argv.end(), {"-groups", setup.group});
    if (!setup.alpn.empty()) {
      argv.insert(argv.end(), {"-alpn", fmt::format("{}", fmt::join(setup.alpn, ","))});
    }
  }
};

class GnutlsPeer : public ProcessPeer {
 public:
  using ProcessPeer::ProcessPeer;
  uint16_t Serve(const PeerSetup& setup) override {
    const uint16_t port = testlib::FreePort();
    Words argv = {
        "gnutls-serv",         "--echo", "--port", std::to_string(port), "--require-client-cert",
        "--verify-client-cert"};
    Common(setup, argv);
    Start(std::move(argv));
    auto line = process_->WaitForOutput("listening on IPv4.*done");
    EXPECT_TRUE(line.ok()) << line.status();
    return port;
  }
  void Connect(uint16_t port, const PeerSetup& setup) override {
    Words argv = {"gnutls-cli",         "127.0.0.1",      "--port",
                  std::to_string(port), "--sni-hostname", setup.host,
                  "--verify-hostname",  setup.host};
    Common(setup, argv);
    Start(std::move(argv));
    Greet();
  }

 private:
  void Common(const PeerSetup& setup, Words& argv) const {
    std::string priority =
        is_tls12() ? "NORMAL:-VERS-ALL:+VERS-TLS1.2" : "NORMAL:-VERS-ALL:+VERS-TLS1.3";
    if (setup.cipher == Cipher::kAes256Gcm || setup.is_dhe) {
      priority += ":-CIPHER-ALL:+AES-256-GCM";
    }
    if (setup.is_dhe) priority += ":-KX-ALL:+DHE-RSA";
    if (setup.group == "secp384r1") priority += ":-GROUP-ALL:+GROUP-SECP384R1";
    argv.insert(argv.end(), {"--x509cafile", setup.cacertfile, "--priority", priority});
    if (setup.shows_certificate) {
      argv.insert(argv.end(),
                  {"--x509certfile", setup.files.cert, "--x509keyfile", setup.files.key});
    }
    for (const std::string& protocol : setup.alpn) {
      argv.insert(argv.end(), {"--alpn", protocol});
    }
  }
};

class OtpPeer : public TlsPeer {
 public:
  explicit OtpPeer(Version version) : version_(version) {
    otp_.Eval("{ok, _} = application:ensure_all_started(ssl)");
    otp_.Eval("logger:set_primary_config(level, error)");
  }
  uint16_t Serve(const PeerSetup& setup) override {
    std::string alpn = AlpnText(setup);
    if (!alpn.empty()) alpn = ", {alpn_preferred_protocols, " + alpn + "}";
    const std::string port = otp_.Eval(fmt::format(
        "(fun() -> {{ok, L}} = ssl:listen(0, [{{ip, {{127,0,0,1}}}}, {{fail_if_no_peer_cert, "
        "true}}, {}{}]), {{ok, {{_, Port}}}} = ssl:sockname(L), spawn(fun() -> {{ok, H}} = "
        "ssl:transport_accept(L, 30000), case ssl:handshake(H, 30000) of {{ok, S}} -> {{ok, T}} = "
        "ssl:recv(S, {}, 30000), ssl:send(S, T), timer:sleep(30000); Why -> Why end end), Port "
        "end)()",
        Common(setup), alpn, sizeof(kGreeting) - 1));
    EXPECT_NE(port.find_first_of("0123456789"), std::string::npos) << port << otp_.Log();
    return static_cast<uint16_t>(std::atoi(port.c_str()));
  }
  void Connect(uint16_t port, const PeerSetup& setup) override {
    std::string alpn = AlpnText(setup);
    if (!alpn.empty()) alpn = ", {alpn_advertised_protocols, " + alpn + "}";
    otp_.Eval(fmt::format(
        "spawn(fun() -> case ssl:connect({{127,0,0,1}}, {}, [{{server_name_indication, \"{}\"}}, "
        "{}{}], 30000) of {{ok, S}} -> ssl:send(S, <<\"hello\\n\">>), timer:sleep(30000); Why -> "
        "Why end end)",
        port, setup.host, Common(setup), alpn));
  }
  std::string Log() override { return otp_.Log(); }

 private:
  static std::string AlpnText(const PeerSetup& setup) {
    Words binaries;
    for (const std::string& protocol : setup.alpn) {
      binaries.push_back("<<\"" + protocol + "\">>");
    }
    return binaries.empty() ? "" : fmt::format("[{}]", fmt::join(binaries, ", "));
  }
  std::string Common(const PeerSetup& setup) const {
    std::string options = fmt::format(
        "binary, {{active, false}}, {{verify, verify_peer}}, {{cacertfile, \"{}\"}}, {{versions, "
        "['{}']}}",
        setup.cacertfile, VersionName(version_));
    if (setup.shows_certificate) {
      options += fmt::format(", {{certfile, \"{}\"}}, {{keyfile, \"{}\"}}", setup.files.cert,
                             setup.files.key);
    }
    if (setup.is_dhe) options += ", {ciphers, [\"DHE-RSA-AES256-GCM-SHA384\"]}";
    if (setup.cipher == Cipher::kAes256Gcm) {
      options += version_ == Version::kTls12 ? ", {ciphers, [\"ECDHE-ECDSA-AES256-GCM-SHA384\"]}"
                                             : ", {ciphers, [\"TLS_AES_256_GCM_SHA384\"]}";
    }
    if (!setup.group.empty()) {
      options += fmt::format(
          ", {{{}, [{}]}}", version_ == Version::kTls12 ? "eccs" : "supported_groups", setup.group);
    }
    return options;
  }

  const Version version_;
  testlib::OtpNode otp_{{}};
};

// tls/ssl.h with itself.
class OurPeer : public TlsPeer {
 public:
  explicit OurPeer(Version version) : version_(version) {
    auto ssl = tls::Ssl::Start();
    EXPECT_TRUE(ssl.ok()) << ssl.status();
    ssl_ = *std::move(ssl);
  }
  ~OurPeer() override { Forget(); }

  uint16_t Serve(const PeerSetup& setup) override {
    Forget();
    auto listener = ssl_->Listen(0, OptionsFor(tls::Role::kServer, setup), {.ip = "127.0.0.1"});
    EXPECT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
    running_ = std::async(std::launch::async, [this]() -> Socket {
      auto accepted = listener_->TransportAccept(kLimit);
      if (!accepted.ok()) return nullptr;
      tls::SocketSetup patient;
      patient.timeout = kLimit;
      auto socket = ssl_->Handshake(*std::move(accepted), std::move(patient));
      if (!socket.ok()) return nullptr;
      auto text = (*socket)->Recv(sizeof(kGreeting) - 1, kLimit);
      if (text.ok()) (*socket)->Send(text->text()).IgnoreError();
      return *std::move(socket);
    });
    return listener_->port();
  }
  void Connect(uint16_t port, const PeerSetup& setup) override {
    Forget();
    running_ = std::async(std::launch::async, [this, port, setup]() -> Socket {
      tls::SocketSetup patient;
      patient.timeout = kLimit;
      auto socket =
          ssl_->Connect("127.0.0.1", port, OptionsFor(tls::Role::kClient, setup), patient);
      if (!socket.ok()) return nullptr;
      (*socket)->Send(kGreeting).IgnoreError();
      (void)(*socket)->Recv(0, kLimit);  // until we end, or have refused it
      return *std::move(socket);
    });
  }
  std::string Log() override { return ""; }

 private:
  using Socket = std::unique_ptr<tls::SslSocket>;
  static constexpr tls::Timeout kLimit{30'000};

  tls::Options OptionsFor(tls::Role role, const PeerSetup& setup) const {
    tls::Options options = ssl_->Defaults(role);
    options.versions = {.tls12 = version_ == Version::kTls12, .tls13 = version_ == Version::kTls13};
    options.trust.cacertfile = setup.cacertfile;
    options.trust.verify = tls::Verify::kPeer;
    options.trust.fail_if_no_peer_cert = role == tls::Role::kServer;
    if (role == tls::Role::kClient) {
      options.trust.name_check = tls::NameCheck::kGiven;
      options.trust.server_name = setup.host;
    }
    if (setup.shows_certificate) {
      options.identity = {.certfile = setup.files.cert, .keyfile = setup.files.key};
    }
    if (setup.is_dhe) options.ciphers.suites = {"TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"};
    if (setup.cipher == Cipher::kAes256Gcm) {
      options.ciphers.suites = {version_ == Version::kTls12
                                    ? "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
                                    : "TLS_AES_256_GCM_SHA384"};
    }
    if (!setup.group.empty()) options.ciphers.groups = {setup.group};
    options.alpn.protocols = setup.alpn;
    return options;
  }
  void Forget() {
    if (listener_) listener_->Close().IgnoreError();
    if (running_.valid()) running_.get();
    listener_.reset();
  }

  const Version version_;
  std::unique_ptr<tls::Ssl> ssl_;
  std::unique_ptr<tls::SslListener> listener_;
  std::future<Socket> running_;
};

}  // namespace

const char* PeerName(PeerKind kind) {
  switch (kind) {
    case PeerKind::kOpenssl:
      return "Openssl";
    case PeerKind::kGnutls:
      return "Gnutls";
    case PeerKind::kOtp:
      return "Otp";
    case PeerKind::kOurs:
      return "Ours";
  }
  return "";
}

std::unique_ptr<TlsPeer> MakePeer(PeerKind kind, Version version) {
  switch (kind) {
    case PeerKind::kOpenssl:
      return std::make_unique<OpensslPeer>(version);
    case PeerKind::kGnutls:
      return std::make_unique<GnutlsPeer>(version);
    case PeerKind::kOtp:
      return std::make_unique<OtpPeer>(version);
    case PeerKind::kOurs:
      return std::make_unique<OurPeer>(version);
  }
  return nullptr;
}

}  // namespace noded::interop
