#include "dist/epmd_server.h"

#include <map>
#include <optional>
#include <utility>

#include "asio/ip/address.hpp"
#include "fmt/format.h"

#include "base/log.h"
#include "base/status.h"
#include "base/stream.h"
#include "base/task.h"
#include "dist/carrier/deadline.h"
#include "dist/carrier/listener.h"
#include "dist/epmd_table.h"

namespace noded::dist {
namespace {

using Listeners = std::vector<std::unique_ptr<Listener>>;
using SharedStream = std::shared_ptr<base::Stream>;

// One address to listen at. Those nobody asked for may be missing on this machine.
struct Place {
  asio::ip::address address;
  bool is_asked_for = true;
};

absl::StatusOr<std::vector<Place>> Places(const std::vector<std::string>& addresses) {
  using asio::ip::address_v4, asio::ip::address_v6;
  std::vector<Place> places;
  bool has_loopback_v4 = false, has_loopback_v6 = false;
  for (const std::string& text : addresses) {
    asio::error_code error;
    const asio::ip::address address = asio::ip::make_address(text, error);
    if (error) {
      return base::Error(absl::StatusCode::kInvalidArgument,
                         fmt::format("ERL_EPMD_ADDRESS: \"{}\" is no numeric address", text),
                         "give IPv4 or IPv6 addresses with commas between them", "einval");
    }
    if (address == address_v4::loopback() || address == address_v4::any()) has_loopback_v4 = true;
    if (address == address_v6::loopback() || address == address_v6::any()) has_loopback_v6 = true;
    places.push_back({address});
  }
  const bool anywhere = addresses.empty();
  if (!has_loopback_v4) {
    places.push_back({anywhere ? address_v4::any() : address_v4::loopback(), false});
  }
  if (!has_loopback_v6) {
    places.push_back({anywhere ? address_v6::any() : address_v6::loopback(), false});
  }
  return places;
}

absl::Status StartError(const absl::Status& status, uint16_t port) {
  std::string mend;
  if (status.code() == absl::StatusCode::kAlreadyExists) {
    mend = "most likely an epmd runs already: use that one";
  } else if (base::ReasonOf(status) == "eaddrnotavail") {
    mend = "give addresses of this machine in ERL_EPMD_ADDRESS";
  } else {
    mend = "choose another port with ERL_EPMD_PORT";
  }
  return base::Error(status.code(),
                     fmt::format("start epmd at port {}: {}", port, base::CauseOf(status)), mend,
                     base::ReasonOf(status));
}

// Listens at every place, all at one port.
absl::StatusOr<Listeners> ListenAt(base::Loop& loop, const std::vector<Place>& places,
                                   uint16_t port) {
  Listeners listeners;
  for (const Place& place : places) {
    const std::string address = place.address.to_string();
    absl::StatusOr<std::unique_ptr<Listener>> listener =
        Listener::Listen(loop, place.address.is_v6(), {address, port, port});
    if (listener.ok()) {
      port = (*listener)->port();
      listeners.push_back(*std::move(listener));
      continue;
    }
    const std::string reason = base::ReasonOf(listener.status());
    const bool is_missing = reason == "eafnosupport" || reason == "eaddrnotavail";
    if (place.is_asked_for || !is_missing) return StartError(listener.status(), port);
  }
  if (listeners.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("start epmd at port {}: this machine has no address", port),
                       "bring its loopback interface up", "eaddrnotavail");
  }
  return listeners;
}

bool IsLocal(const base::Stream& stream) {
  if (stream.peer().address == stream.local().address) return true;
  asio::error_code error;
  const asio::ip::address address = asio::ip::make_address(stream.peer().address, error);
  return !error && address.is_loopback();
}

uint32_t UnixSeconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

EpmdTable::Options TableOptions(const EpmdServer::Options& options, uint16_t port) {
  // As epmd does: a new start begins with creations that no earlier one gave.
  return {.epmd_port = port,
          .first_creation = UnixSeconds(),
          .relaxed_command_check = options.relaxed_command_check,
          .max_old_names = options.limits.max_epmd_old_names};
}

}  // namespace

// What the tasks share; each keeps it alive until it has ended.
class EpmdServer::Service : public std::enable_shared_from_this<EpmdServer::Service> {
 public:
  Service(base::Loop& loop, Options options, Listeners listeners)
      : loop_(loop),
        options_(std::move(options)),
        listeners_(std::move(listeners)),
        table_(TableOptions(options_, listeners_.front()->port())) {}

  void Run() {
    for (auto& listener : listeners_) {
      base::Spawn(loop_, "epmd acceptor", AcceptAll(shared_from_this(), listener.get()),
                  [](absl::Status) {});
    }
  }

  // Cuts every client but `spared`, which waits for its answer.
  void Stop(EpmdClientId spared = 0) {
    is_stopped_ = true;
    for (auto& listener : listeners_) listener->Close();
    for (auto& [id, stream] : clients_) {
      if (id != spared) stream->Abort();
    }
  }

 private:
  static base::Task<absl::Status> AcceptAll(std::shared_ptr<Service> self, Listener* listener) {
    while (!self->is_stopped_) {
      absl::StatusOr<std::unique_ptr<base::Stream>> stream = co_await listener->Accept(self->loop_);
      if (!stream.ok()) co_return stream.status();
      self->Admit(*std::move(stream));
    }
    co_return absl::OkStatus();
  }

  void Admit(SharedStream stream) {
    if (clients_.size() >= options_.limits.max_epmd_clients && !MakeRoom()) {
      LogFull(*stream);
      return;
    }
    const EpmdClientId id = next_id_++;
    clients_.emplace(id, stream);
    base::Spawn(loop_, "epmd client", Serve(shared_from_this(), id, std::move(stream)),
                [self = shared_from_this(), id](absl::Status status) { self->End(id, status); });
  }

  // Cuts off the oldest client that is no registered node.
  bool MakeRoom() {
    for (auto& [id, stream] : clients_) {
      if (table_.IsNode(id)) continue;
      stream->Abort();
      clients_.erase(id);
      return true;
    }
    return false;
  }

  // One line for the first of a thousand: a flood of clients must not become one of the log.
  void LogFull(const base::Stream& refused) {
    if (refused_++ % 1000 != 0) return;
    base::LogWarn("epmd_full")
        .Add("peer", base::AddressText(refused.peer()))
        .Add("clients", clients_.size())
        .Add("refused", refused_)
        .Add("mend", "every place is a registered node's: run a standing epmd for that many");
  }

  void End(EpmdClientId id, const absl::Status& status) {
    table_.Forget(id);
    clients_.erase(id);
    if (!status.ok()) base::LogDebug("epmd_client_dropped").Add(status);
  }

  static base::Task<absl::Status> Serve(std::shared_ptr<Service> self, EpmdClientId id,
                                        SharedStream stream) {
    {
      Deadline guard(self->loop_, self->loop_.Now() + self->options_.client_timeout,
                     [stream = stream.get()] { stream->Abort(); });
      absl::StatusOr<EpmdRequest> request = co_await ReadRequest(self, stream);
      if (!request.ok()) co_return request.status();
      EpmdAnswer answer = self->table_.Answer(*request, {id, IsLocal(*stream)});
      absl::Status written = co_await stream->Write(std::move(answer.reply));
      self->Follow(answer, id);
      if (!written.ok()) co_return written;
      if (answer.next != EpmdAnswer::Next::kKeep) {
        absl::Status closed = co_await stream->Close();
        co_return closed;
      }
    }
    // A registered node says nothing more; its end, or anything else it says, unregisters it.
    absl::StatusOr<base::Slice> bytes = co_await stream->Read();
    co_return bytes.status();
  }

  static base::Task<absl::StatusOr<EpmdRequest>> ReadRequest(std::shared_ptr<Service> self,
                                                             SharedStream stream) {
    EpmdRequestReader reader(self->options_.limits);
    while (true) {
      absl::StatusOr<base::Slice> bytes = co_await stream->Read();
      if (!bytes.ok()) co_return bytes.status();
      if (bytes->empty()) {
        co_return base::Error(absl::StatusCode::kUnavailable, "client left before its request", "",
                              "closed");
      }
      reader.Feed(*bytes);
      absl::StatusOr<std::optional<EpmdRequest>> request = reader.Next();
      if (!request.ok()) co_return request.status();
      if (request->has_value()) co_return **std::move(request);
    }
  }

  void Follow(const EpmdAnswer& answer, EpmdClientId asker) {
    if (answer.next == EpmdAnswer::Next::kStopServer && !is_stopped_) {
      Stop(asker);
      if (options_.killed) options_.killed();
    }
    if (answer.next == EpmdAnswer::Next::kStopClient) {
      const auto found = clients_.find(answer.stopped);
      if (found != clients_.end()) found->second->Abort();
    }
  }

  base::Loop& loop_;
  const Options options_;
  Listeners listeners_;
  EpmdTable table_;
  std::map<EpmdClientId, SharedStream> clients_;
  EpmdClientId next_id_ = 1;
  uint64_t refused_ = 0;  // for want of places
  bool is_stopped_ = false;
};

EpmdServer::EpmdServer(base::Loop& loop, std::shared_ptr<Service> service, uint16_t port)
    : loop_(loop), service_(std::move(service)), port_(port) {
  service_->Run();
}

absl::StatusOr<std::unique_ptr<EpmdServer>> EpmdServer::Start(base::Loop& loop, Options options) {
  ASSIGN_OR_RETURN(const std::vector<Place> places, Places(options.addresses));
  absl::StatusOr<Listeners> listeners = ListenAt(loop, places, options.port);
  // A port that the kernel chose for one address may be taken at another.
  for (int tries = 0; options.port == 0 && !listeners.ok() && tries < 10; ++tries) {
    listeners = ListenAt(loop, places, options.port);
  }
  if (!listeners.ok()) return listeners.status();
  const uint16_t port = listeners->front()->port();
  auto service = std::make_shared<Service>(loop, std::move(options), *std::move(listeners));
  return std::unique_ptr<EpmdServer>(new EpmdServer(loop, std::move(service), port));
}

EpmdServer::~EpmdServer() {
  loop_.Dispatch([service = std::move(service_)] { service->Stop(); });
}

}  // namespace noded::dist
