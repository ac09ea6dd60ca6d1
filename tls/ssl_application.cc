#include "tls/ssl_application.h"

#include <utility>

#include "fmt/format.h"

#include "base/log.h"
#include "base/status.h"
#include "base/tcp_connect.h"
#include "tls/context_source.h"
#include "tls/engine_driver.h"
#include "tls/memory_session_cache.h"
#include "tls/pem_cache.h"
#include "tls/alert_log.h"
#include "tls/ssl_connection.h"
#include "tls/ssl_runtime.h"

namespace noded::tls {

using base::Task;
using SocketResult = absl::StatusOr<std::unique_ptr<SslSocket>>;
using ConnectionResult = absl::StatusOr<std::shared_ptr<SslConnection>>;

namespace {

void ReportBrokenFiles(const absl::Status& status) {
  base::LogError("tls_files_broken").Add(status);
}

std::string Where(const base::PeerIdentity& peer, const std::string& host) {
  const std::string address = base::AddressText(peer);
  return host.empty() || host == peer.address ? address : fmt::format("{} ({})", address, host);
}

Task<ConnectionResult> Secure(std::shared_ptr<SslRuntime> runtime,
                              std::unique_ptr<base::Stream> plain, std::string host,
                              std::shared_ptr<const Context> context, SocketSetup setup,
                              base::TimePoint deadline) {
  const std::string where = Where(plain->peer(), host);
  EngineOptions engine_options;
  engine_options.peer_host = std::move(host);
  auto driver = EngineDriver::Make(std::move(plain), std::move(context), std::move(engine_options));
  if (!setup.already_read.empty()) driver->engine().Feed(std::move(setup.already_read));
  // Stopping the application cuts handshakes too.
  const SslSocketId id = runtime->NextId();
  base::Loop& loop = driver->lower().loop();
  auto current = std::make_shared<EngineDriver*>(driver.get());
  absl::Status status = runtime->Register(id, [current, &loop] {
    loop.Post([current] {
      if (*current != nullptr) (*current)->Abort();
    });
  });
  if (status.ok()) {
    status = co_await driver->Shake(deadline);
    *current = nullptr;
    runtime->Forget(id);
  }
  if (!status.ok()) {
    driver->Abort();
    LogAlert(*driver->engine().context(), driver->lower().peer(), status);
    co_return base::Annotate(status, fmt::format("TLS handshake with {}", where));
  }
  co_return SslConnection::Start(std::move(driver), std::move(runtime), std::move(setup));
}

}  // namespace

Ssl::Ssl(SslParameters parameters, std::shared_ptr<SessionCache> client,
         std::shared_ptr<SessionCache> server)
    : parameters_(std::move(parameters)),
      client_sessions_(std::move(client)),
      server_sessions_(std::move(server)),
      runtime_(std::make_shared<SslRuntime>()),
      loops_(parameters_.loops) {}

absl::StatusOr<std::unique_ptr<Ssl>> Ssl::Start(SslParameters parameters) {
  if (!parameters.protocol_version.tls12 && !parameters.protocol_version.tls13) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       "parameter protocol_version: no version is left",
                       "allow tlsv1.2, tlsv1.3 or both", "options");
  }
  if (parameters.alert_timeout < std::chrono::milliseconds(0)) {
    return base::Error(absl::StatusCode::kInvalidArgument, "parameter alert_timeout: below 0",
                       "give the milliseconds that a peer has to read an alert", "options");
  }
  if (parameters.ssl_pem_cache_clean) {
    if (*parameters.ssl_pem_cache_clean < std::chrono::milliseconds(0)) {
      return base::Error(absl::StatusCode::kInvalidArgument,
                         "parameter ssl_pem_cache_clean: below 0",
                         "give the milliseconds after which files are looked at again", "options");
    }
    PemCache::Shared().SetInterval(*parameters.ssl_pem_cache_clean);
  }
  std::shared_ptr<SessionCache> client, server;
  if (parameters.session_cb == nullptr) {
    client = std::make_shared<MemorySessionCache>(parameters.session_cache_client_max);
    server = std::make_shared<MemorySessionCache>(parameters.session_cache_server_max);
  } else {
    ASSIGN_OR_RETURN(client, MakeSessionCache(parameters.session_cb, Role::kClient));
    ASSIGN_OR_RETURN(server, MakeSessionCache(parameters.session_cb, Role::kServer));
  }
  return std::unique_ptr<Ssl>(new Ssl(std::move(parameters), std::move(client), std::move(server)));
}

Ssl::~Ssl() { Stop(); }

void Ssl::Stop() { runtime_->Stop(); }

size_t Ssl::open_sockets() const { return runtime_->size(); }

Options Ssl::Defaults(Role role) const {
  Options options;
  options.versions = parameters_.protocol_version;
  options.sessions.lifetime = parameters_.session_lifetime;
  options.sessions.cache_max = role == Role::kClient ? parameters_.session_cache_client_max
                                                     : parameters_.session_cache_server_max;
  options.sessions.cache = role == Role::kClient ? client_sessions_ : server_sessions_;
  options.traffic.alert_timeout = parameters_.alert_timeout;
  return options;
}

Options Ssl::Completed(Options options, Role role) const {
  if (options.sessions.cache == nullptr) {
    options.sessions.cache = role == Role::kClient ? client_sessions_ : server_sessions_;
  }
  // As OTP does since 26: nobody is trusted without being asked.
  const bool is_unsaid = !options.trust.verify && options.psk.lookup == nullptr;
  if (role == Role::kClient && is_unsaid) options.trust.verify = Verify::kPeer;
  return options;
}

absl::StatusOr<std::shared_ptr<const Context>> Ssl::MakeContext(Options options, Role role) const {
  ASSIGN_OR_RETURN(std::shared_ptr<const Context> context,
                   Context::Create(Completed(std::move(options), role), role));
  runtime_->WarnOnce(context->Warnings());
  return context;
}

absl::StatusOr<std::unique_ptr<SslListener>> Ssl::Listen(uint16_t port, Options options,
                                                         SslListenOptions listen,
                                                         base::Loop* loop) {
  ASSIGN_OR_RETURN(auto contexts,
                   ContextSource::Create(Completed(std::move(options), Role::kServer),
                                         Role::kServer, ReportBrokenFiles));
  runtime_->WarnOnce(contexts->current()->Warnings());
  std::function<base::Loop&()> next_loop;
  if (loop == nullptr) {
    next_loop = [this]() -> base::Loop& { return loops_.Next(); };
  } else {
    next_loop = [loop]() -> base::Loop& { return *loop; };
  }
  return SslListener::Open(loop == nullptr ? loops_.home() : *loop, std::move(next_loop), runtime_,
                           std::move(contexts), port, std::move(listen));
}

Task<SocketResult> Ssl::AsyncUpgrade(std::unique_ptr<base::Stream> plain, std::string host,
                                     std::shared_ptr<const Context> context, SocketSetup setup) {
  const base::TimePoint deadline = DeadlineOf(setup.timeout);
  ConnectionResult connection = co_await Secure(runtime_, std::move(plain), std::move(host),
                                                std::move(context), std::move(setup), deadline);
  if (!connection.ok()) co_return connection.status();
  co_return std::unique_ptr<SslSocket>(new SslSocket(*std::move(connection)));
}

Task<SocketResult> Ssl::AsyncHandshake(std::unique_ptr<SslTransportSocket> accepted,
                                       SocketSetup setup) {
  std::shared_ptr<const Context> context = accepted->context_;
  setup.options = Over(accepted->options_, setup.options);
  std::unique_ptr<base::Stream> plain = std::move(accepted->stream_);
  SocketResult socket =
      co_await AsyncUpgrade(std::move(plain), std::string(), std::move(context), std::move(setup));
  co_return socket;
}

Task<SocketResult> Ssl::AsyncConnect(base::Loop& loop, std::string host, uint16_t port,
                                     std::shared_ptr<const Context> context, SocketSetup setup) {
  const base::TimePoint deadline = DeadlineOf(setup.timeout);
  const std::shared_ptr<SslRuntime> runtime = runtime_;  // may outlive this object
  if (runtime->is_stopped()) {
    co_return base::Error(absl::StatusCode::kUnavailable, "ssl: the application is stopped",
                          "start it first", "closed");
  }
  base::PrepareSocket prepare = [options = setup.options](int descriptor) {
    return SetTcpOptions(options, descriptor);
  };
  absl::StatusOr<std::unique_ptr<base::Stream>> plain = co_await base::ConnectTcp(
      loop, host, port, base::AddressFamily::kAny, deadline, std::move(prepare));
  if (!plain.ok()) co_return plain.status();
  ConnectionResult connection = co_await Secure(runtime, *std::move(plain), std::move(host),
                                                std::move(context), std::move(setup), deadline);
  if (!connection.ok()) co_return connection.status();
  co_return std::unique_ptr<SslSocket>(new SslSocket(*std::move(connection)));
}

SocketResult Ssl::Handshake(std::unique_ptr<SslTransportSocket> accepted, SocketSetup setup) {
  base::Loop& loop = accepted->loop();
  return base::Await(loop, AsyncHandshake(std::move(accepted), std::move(setup)));
}

SocketResult Ssl::Handshake(std::unique_ptr<SslTransportSocket> accepted, Options options,
                            SocketSetup setup) {
  setup.options = Over(accepted->options_, setup.options);
  return Handshake(std::move(accepted->stream_), std::move(options), std::move(setup));
}

SocketResult Ssl::Handshake(std::unique_ptr<base::Stream> plain, Options options,
                            SocketSetup setup) {
  base::Loop& loop = plain->loop();
  absl::StatusOr<std::shared_ptr<const Context>> context =
      MakeContext(std::move(options), Role::kServer);
  if (!context.ok()) {
    loop.Post([plain = std::move(plain)] {});
    return context.status();
  }
  return base::Await(loop,
                     AsyncUpgrade(std::move(plain), "", *std::move(context), std::move(setup)));
}

SocketResult Ssl::Connect(std::unique_ptr<base::Stream> plain, std::string host, Options options,
                          SocketSetup setup) {
  base::Loop& loop = plain->loop();
  absl::StatusOr<std::shared_ptr<const Context>> context =
      MakeContext(std::move(options), Role::kClient);
  if (!context.ok()) {
    loop.Post([plain = std::move(plain)] {});
    return context.status();
  }
  return base::Await(
      loop, AsyncUpgrade(std::move(plain), std::move(host), *std::move(context), std::move(setup)));
}

SocketResult Ssl::Connect(std::string host, uint16_t port, Options options, SocketSetup setup) {
  ASSIGN_OR_RETURN(auto context, MakeContext(std::move(options), Role::kClient));
  base::Loop& loop = loops_.Next();
  return base::Await(
      loop, AsyncConnect(loop, std::move(host), port, std::move(context), std::move(setup)));
}

}  // namespace noded::tls
