// nodectl tls serve [HOST:]PORT [OPTION VALUE ...]: echo, --discard or --www. All connections live
// on one loop, each in a task of its own.
#include <signal.h>

#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/signal_set.hpp"
#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/deadline.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/status.h"
#include "base/task.h"
#include "cli/verbs/certificate_text.h"
#include "cli/verbs/tls.h"
#include "cli/verbs/tls_facts.h"
#include "cli/verbs/tls_warn.h"
#include "cli/verbs/tls_words.h"
#include "cli/verbs/tls_www.h"
#include "dist/carrier/listener.h"
#include "node/version.h"
#include "tls/context_source.h"
#include "tls/tls_stream.h"

namespace noded::cli {
namespace {

using base::Slice;
using base::Stream;
using base::Task;

// What a peer gets to answer our close_notify, and how much it may still send until then.
constexpr std::chrono::seconds kFarewell{1};
constexpr size_t kFarewellBytes = 1024 * 1024;

class TlsServer {
 public:
  TlsServer(base::Loop& loop, std::unique_ptr<dist::Listener> listener,
            std::shared_ptr<tls::ContextSource> source, const TlsArguments& settings)
      : loop_(loop),
        listener_(std::move(listener)),
        source_(std::move(source)),
        settings_(settings),
        signals_(loop.io(), SIGINT, SIGTERM),
        one_ended_(loop.io(), asio::steady_timer::time_point::max()) {}

  // Until a signal, or with --once the end of the first connection: how that went.
  Task<absl::Status> Run();

 private:
  // What a goodbye and the connection's own task share: the stream goes with the last of them.
  struct Connection {
    std::unique_ptr<Stream> secure;
    Stream* lower = nullptr;  // valid during the handshake
    bool is_over = false;     // its own task has ended
  };

  void Start(std::unique_ptr<Stream> accepted);
  // The end of a task that Run() waits for.
  void OnEnd(uint64_t id, const absl::Status& status);
  Task<absl::Status> Serve(std::shared_ptr<Connection> connection,
                           std::unique_ptr<Stream> accepted);
  Task<absl::Status> EchoOrDiscard(Stream& stream);
  Task<absl::Status> AnswerHttp(Stream& stream);
  // Closes and waits for the peer to do so, too, so that what was sent surely arrives.
  Task<absl::Status> SayFarewell(Stream& stream);
  // Ends everything: politely where there is somebody to be polite to.
  void Stop();
  Task<absl::Status> SayGoodbye(std::shared_ptr<Connection> connection);
  Task<absl::Status> WaitUntilFewerThan(size_t count);

  void Report(const base::PeerIdentity& peer) const;
  void ReportFailure(const base::PeerIdentity& peer, const absl::Status& status) const;

  base::Loop& loop_;
  const std::unique_ptr<dist::Listener> listener_;
  const std::shared_ptr<tls::ContextSource> source_;
  const TlsArguments& settings_;
  asio::signal_set signals_;
  asio::steady_timer one_ended_;  // never expires; cancelled when a task ends
  std::map<uint64_t, std::shared_ptr<Connection>> connections_;  // by number
  uint64_t next_id_ = 0;
  size_t goodbyes_ = 0;
  bool is_stopping_ = false;
  absl::Status last_status_;
};

void TlsServer::Report(const base::PeerIdentity& peer) const {
  std::cout << (settings_.is_json ? JsonText(FactsJson(peer), -1) : FactsLine(peer) + "\n")
            << std::flush;
}

void TlsServer::ReportFailure(const base::PeerIdentity& peer, const absl::Status& status) const {
  const std::string message(status.message().data(), status.message().size());
  if (settings_.is_json) {
    std::cout << JsonText({{"peer", base::AddressText(peer)},
                           {"error", message},
                           {"reason", base::ReasonOf(status)}},
                          -1)
              << std::flush;
  } else {
    std::cout << base::AddressText(peer) << " failed: " << message << std::endl;
  }
}

Task<absl::Status> TlsServer::EchoOrDiscard(Stream& stream) {
  while (true) {
    absl::StatusOr<Slice> bytes = co_await stream.Read();
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty()) co_return absl::OkStatus();
    if (settings_.is_discard) continue;
    base::Buffer answer;
    answer.Append(*std::move(bytes));
    absl::Status written = co_await stream.Write(std::move(answer));
    if (!written.ok()) co_return written;
  }
}

Task<absl::Status> TlsServer::AnswerHttp(Stream& stream) {
  HttpRequestReader request;
  {
    base::Deadline guard(loop_, loop_.Now() + settings_.timeout, [&stream] { stream.Abort(); });
    while (!request.is_done()) {
      absl::StatusOr<Slice> bytes = co_await stream.Read();
      if (guard.is_over()) {
        co_return base::Error(absl::StatusCode::kDeadlineExceeded, "no request within the time",
                              "send one, or give --timeout more seconds", "timeout");
      }
      if (!bytes.ok()) co_return bytes.status();
      // A peer that only wanted a handshake: testssl.sh, a load balancer's check.
      if (bytes->empty()) co_return absl::OkStatus();
      request.Feed(*bytes);
    }
  }
  base::Buffer answer;
  answer.Append(request.Answer(
      StatusPage(stream.peer(), fmt::format("nodectl tls serve {}", node::kVersion))));
  absl::Status written = co_await stream.Write(std::move(answer));
  co_return written;
}

Task<absl::Status> TlsServer::SayFarewell(Stream& stream) {
  base::Deadline guard(loop_, loop_.Now() + kFarewell, [&stream] { stream.Abort(); });
  absl::Status closed = co_await stream.Close();
  size_t left = kFarewellBytes;
  while (closed.ok()) {
    absl::StatusOr<Slice> bytes = co_await stream.Read();
    if (!bytes.ok() || bytes->empty() || bytes->size() > left) break;
    left -= bytes->size();
  }
  // Whatever the peer does now is its own affair.
  co_return absl::OkStatus();
}

Task<absl::Status> TlsServer::Serve(std::shared_ptr<Connection> connection,
                                    std::unique_ptr<Stream> accepted) {
  const base::PeerIdentity peer = accepted->peer();
  connection->lower = accepted.get();
  std::shared_ptr<const tls::Context> context = source_->current();
  const base::TimePoint deadline = loop_.Now() + settings_.timeout;
  absl::StatusOr<std::unique_ptr<Stream>> secure =
      co_await tls::Handshake(std::move(accepted), std::move(context), std::string(), deadline);
  connection->lower = nullptr;
  if (!secure.ok()) {
    if (!is_stopping_) ReportFailure(peer, secure.status());
    co_return secure.status();
  }
  connection->secure = *std::move(secure);
  Stream& stream = *connection->secure;
  Report(stream.peer());
  absl::Status served;
  if (settings_.is_www) {
    served = co_await AnswerHttp(stream);
  } else {
    served = co_await EchoOrDiscard(stream);
  }
  if (is_stopping_) co_return absl::OkStatus();
  if (served.ok()) {
    served = co_await SayFarewell(stream);
  } else {
    ReportFailure(peer, served);
    stream.Abort();
  }
  co_return served;
}

void TlsServer::Start(std::unique_ptr<Stream> accepted) {
  const uint64_t id = next_id_++;
  auto connection = std::make_shared<Connection>();
  connections_.emplace(id, connection);
  base::Spawn(loop_, "tls_serve", Serve(std::move(connection), std::move(accepted)),
              [this, id](absl::Status status) { OnEnd(id, status); });
}

void TlsServer::OnEnd(uint64_t id, const absl::Status& status) {
  const auto connection = connections_.extract(id);
  connection.mapped()->is_over = true;
  last_status_ = status;
  one_ended_.cancel();
}

Task<absl::Status> TlsServer::SayGoodbye(std::shared_ptr<Connection> connection) {
  Stream& stream = *connection->secure;
  base::Deadline guard(loop_, loop_.Now() + kFarewell, [&stream] { stream.Abort(); });
  absl::Status closed = co_await stream.Close();
  // The task of the connection reads until the peer has closed, or the guard cuts it off.
  while (!guard.is_over() && !connection->is_over) {
    asio::error_code ignored;
    co_await one_ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return closed;
}

void TlsServer::Stop() {
  if (std::exchange(is_stopping_, true)) return;
  listener_->Close();
  for (auto& [id, connection] : connections_) {
    if (connection->lower != nullptr) connection->lower->Abort();
    if (connection->secure == nullptr) continue;
    ++goodbyes_;
    base::Spawn(loop_, "tls_goodbye", SayGoodbye(connection), [this](absl::Status) {
      --goodbyes_;
      one_ended_.cancel();
    });
  }
}

Task<absl::Status> TlsServer::WaitUntilFewerThan(size_t count) {
  while (connections_.size() + goodbyes_ >= count) {
    asio::error_code ignored;
    co_await one_ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return absl::OkStatus();
}

Task<absl::Status> TlsServer::Run() {
  signals_.async_wait([this](const asio::error_code& error, int) {
    if (!error) Stop();
  });
  while (!is_stopping_) {
    absl::StatusOr<std::unique_ptr<Stream>> accepted = co_await listener_->Accept(loop_);
    if (!accepted.ok()) break;
    Start(*std::move(accepted));
    if (settings_.is_once) break;
    absl::Status room = co_await WaitUntilFewerThan(base::Limits().max_served_connections);
    if (!room.ok()) break;
  }
  listener_->Close();
  absl::Status drained = co_await WaitUntilFewerThan(1);
  signals_.cancel();
  if (!drained.ok()) co_return drained;
  co_return settings_.is_once && !is_stopping_ ? last_status_ : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<dist::Listener>> Listen(base::Loop& loop, const TlsWords& words) {
  dist::ListenOptions options;
  options.interface_address = words.host;
  options.port_min = options.port_max = words.port;
  const bool is_v6 = words.host.find(':') != std::string::npos;
  return dist::Listener::Listen(loop, is_v6, options);
}

}  // namespace

absl::Status TlsServe(const TlsArguments& arguments) {
  base::StartLog(base::LogLevel::kWarn);
  if (arguments.is_www && arguments.is_discard) {
    return base::Error(absl::StatusCode::kInvalidArgument, "--www and --discard exclude each other",
                       "give one of them", "badarg");
  }
  ASSIGN_OR_RETURN(const TlsWords words, ReadTlsWords(tls::Role::kServer, arguments.words));
  if (words.pem_cache_clean) tls::PemCache::Shared().SetInterval(*words.pem_cache_clean);
  ASSIGN_OR_RETURN(auto source,
                   tls::ContextSource::Create(words.options, tls::Role::kServer, WarnOfFiles));
  Warn(*source->current(), words);
  base::LoopGroup loops(1);
  base::Loop& loop = loops.home();
  ASSIGN_OR_RETURN(auto listener, Listen(loop, words));
  std::cout << "listening on " << listener->AddressText() << std::endl;
  TlsServer server(loop, std::move(listener), std::move(source), arguments);
  std::promise<absl::Status> ended;
  loop.Post([&] {
    base::Spawn(loop, "tls_server", server.Run(),
                [&ended](absl::Status status) { ended.set_value(std::move(status)); });
  });
  absl::Status status = ended.get_future().get();
  loops.Stop();
  return status;
}

}  // namespace noded::cli
