// nodectl tls connect HOST:PORT [OPTION VALUE ...]: standard input to the peer, the peer to
// standard output; or, with --info, what was agreed.
#include <signal.h>
#include <unistd.h>

#include <future>
#include <iostream>
#include <memory>
#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/signal_set.hpp"
#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"

#include "base/deadline.h"
#include "base/log.h"
#include "base/status.h"
#include "base/task.h"
#include "cli/verbs/certificate_text.h"
#include "cli/verbs/tls.h"
#include "cli/verbs/tls_facts.h"
#include "cli/verbs/tls_pipes.h"
#include "cli/verbs/tls_warn.h"
#include "cli/verbs/tls_words.h"
#include "dist/carrier/connect.h"
#include "tls/context.h"
#include "tls/tls_stream.h"

namespace noded::cli {
namespace {

using base::Slice;
using base::Stream;
using base::Task;

// How long a peer may take to say something about our close_notify.
constexpr std::chrono::seconds kFarewell{1};

class TlsClient {
 public:
  TlsClient(base::Loop& loop, TlsWords words, std::shared_ptr<const tls::Context> context,
            const TlsArguments& settings)
      : loop_(loop),
        words_(std::move(words)),
        context_(std::move(context)),
        settings_(settings),
        signals_(loop.io()),
        sender_ended_(loop.io(), asio::steady_timer::time_point::max()) {}

  Task<absl::Status> Run();

 private:
  Task<absl::StatusOr<std::unique_ptr<Stream>>> Open();
  // --info: says it, closes, and waits for what the peer has against us: in TLS 1.3 a server looks
  // at our certificate after we are done.
  Task<absl::Status> Inform();
  // Both ways, until the peer is done.
  Task<absl::Status> Converse();
  // Standard input to the peer, then our close_notify.
  Task<absl::Status> Send();
  // The peer to standard output.
  Task<absl::Status> Receive();
  // SIGINT, SIGTERM: says goodbye; the peer gets a moment to answer.
  void Interrupt();

  base::Loop& loop_;
  const TlsWords words_;
  const std::shared_ptr<const tls::Context> context_;
  const TlsArguments& settings_;
  asio::signal_set signals_;
  InputPipe input_{STDIN_FILENO};
  OutputPipe output_{STDOUT_FILENO};
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<base::Deadline> farewell_;
  asio::steady_timer sender_ended_;  // never expires; cancelled when Send() has ended
  bool is_sending_ = false;
  bool is_ending_ = false;  // our side wants no more of the peer
};

Task<absl::StatusOr<std::unique_ptr<Stream>>> TlsClient::Open() {
  const base::TimePoint deadline = loop_.Now() + settings_.timeout;
  absl::StatusOr<std::unique_ptr<Stream>> plain = co_await dist::ConnectTcp(
      loop_, words_.host, words_.port, dist::AddressFamily::kAny, deadline);
  if (!plain.ok()) co_return plain.status();
  absl::StatusOr<std::unique_ptr<Stream>> secure =
      co_await tls::Handshake(*std::move(plain), context_, words_.host, deadline);
  co_return secure;
}

Task<absl::Status> TlsClient::Inform() {
  std::cout << (settings_.is_json ? JsonText(FactsJson(stream_->peer()), 2)
                                  : FactsText(stream_->peer()))
            << std::flush;
  base::Deadline guard(loop_, loop_.Now() + kFarewell, [this] { stream_->Abort(); });
  absl::Status closed = co_await stream_->Close();
  while (closed.ok()) {
    absl::StatusOr<Slice> bytes = co_await stream_->Read();
    if (guard.is_over()) break;
    // A peer that just goes has nothing against us.
    if (absl::IsUnavailable(bytes.status())) break;
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty()) break;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> TlsClient::Send() {
  absl::Status status;
  while (status.ok()) {
    absl::StatusOr<Slice> bytes = co_await input_.Read();
    if (!bytes.ok()) {
      status = bytes.status();
      break;
    }
    if (bytes->empty()) break;
    base::Buffer buffer;
    buffer.Append(*std::move(bytes));
    status = co_await stream_->Write(std::move(buffer));
  }
  if (settings_.closes_early && status.ok()) Interrupt();
  absl::Status closed = co_await stream_->Close();
  co_return status.ok() ? closed : status;
}

Task<absl::Status> TlsClient::Receive() {
  while (true) {
    absl::StatusOr<Slice> bytes = co_await stream_->Read();
    if (is_ending_) co_return absl::OkStatus();
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty()) co_return absl::OkStatus();
    absl::Status written = co_await output_.Write(*std::move(bytes));
    if (!written.ok() && !is_ending_) co_return written;
  }
}

void TlsClient::Interrupt() {
  if (std::exchange(is_ending_, true)) return;
  farewell_ = std::make_unique<base::Deadline>(loop_, loop_.Now() + kFarewell,
                                               [this] { stream_->Abort(); });
  input_.Cancel();
  output_.Cancel();
}

Task<absl::Status> TlsClient::Converse() {
  is_sending_ = true;
  base::Spawn(loop_, "tls_send", Send(), [this](absl::Status) {
    is_sending_ = false;
    sender_ended_.cancel();
  });
  absl::Status received = co_await Receive();
  // The peer is done, so we are; what we still had to say nobody reads.
  if (!is_ending_) Interrupt();
  while (is_sending_) {
    asio::error_code ignored;
    co_await sender_ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  farewell_.reset();
  co_return received;
}

Task<absl::Status> TlsClient::Run() {
  absl::StatusOr<std::unique_ptr<Stream>> opened = co_await Open();
  absl::Status status = opened.status();
  if (status.ok()) {
    stream_ = *std::move(opened);
    // Before that there is nobody to say goodbye to: the signals end the program.
    for (int signal : {SIGINT, SIGTERM}) signals_.add(signal);
    signals_.async_wait([this](const asio::error_code& error, int) {
      if (!error) Interrupt();
    });
    if (settings_.is_info) {
      status = co_await Inform();
    } else {
      status = co_await Converse();
    }
    stream_->Abort();
    stream_.reset();
  }
  signals_.cancel();
  co_return status;
}

}  // namespace

absl::Status TlsConnect(const TlsArguments& arguments) {
  base::StartLog(base::LogLevel::kWarn);
  ASSIGN_OR_RETURN(const TlsWords words, ReadTlsWords(tls::Role::kClient, arguments.words));
  ASSIGN_OR_RETURN(auto context, tls::Context::Create(words.options, tls::Role::kClient));
  Warn(*context, words);
  base::LoopGroup loops(1);
  base::Loop& loop = loops.home();
  TlsClient client(loop, words, std::move(context), arguments);
  std::promise<absl::Status> ended;
  loop.Post([&] {
    base::Spawn(loop, "tls_client", client.Run(),
                [&ended](absl::Status status) { ended.set_value(std::move(status)); });
  });
  absl::Status status = ended.get_future().get();
  loops.Stop();
  return status;
}

}  // namespace noded::cli
