#include "tests/bogo/exchange.h"

#include <charconv>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "tests/bogo/expectations.h"
#include "tests/bogo/settings.h"
#include "tests/bogo/wire.h"
#include "tls/engine.h"
#include "tls/memory_session_cache.h"

namespace noded::bogo {
namespace {

constexpr size_t kReadBytes = 16 * 1024;
constexpr size_t kMaxSessions = 100;
constexpr std::string_view kInitialWrite = "hello";
// Around the sizes of records and of CBC's blocks; the runner knows them.
constexpr size_t kWriteSizes[] = {0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769};

uint64_t ShimId(const Flags& flags) {
  uint64_t id = 0;
  std::from_chars(flags.shim_id.data(), flags.shim_id.data() + flags.shim_id.size(), id);
  return id;
}

class Exchange {
 public:
  Exchange(const ConnectionFlags& flags, bool is_resume,
           std::shared_ptr<const tls::Context> context, std::unique_ptr<Wire> wire,
           tls::EngineOptions options)
      : flags_(flags),
        is_resume_(is_resume),
        wire_(std::move(wire)),
        engine_(std::move(context), std::move(options)) {}

  absl::Status Run() {
    RETURN_IF_ERROR(Shake());
    RETURN_IF_ERROR(CheckHandshake(flags_, engine_.info(), is_resume_));
    if (flags_.export_keying_material > 0) {
      ASSIGN_OR_RETURN(std::vector<uint8_t> material, ExportMaterial());
      RETURN_IF_ERROR(Write(base::Slice(std::move(material))));
    }
    if (flags_.write_different_record_sizes) {
      RETURN_IF_ERROR(WriteDifferentSizes());
    } else {
      if (flags_.shim_writes_first) RETURN_IF_ERROR(Write(base::Slice::Copy(kInitialWrite)));
      if (!flags_.shim_shuts_down) RETURN_IF_ERROR(Echo());
    }
    RETURN_IF_ERROR(ShutDown());
    return CheckRenegotiations(flags_, renegotiations_);
  }

 private:
  // The next event; none at the peer's end without close_notify.
  absl::StatusOr<std::optional<tls::Event>> Await() {
    while (true) {
      auto event = engine_.Next();
      // An alert that is not heard does not change why it was sent.
      const absl::Status sent = wire_->Write(engine_.TakeOutput());
      if (!event.ok()) {
        const bool is_end = is_open_ && base::ReasonOf(event.status()) == "closed";
        return is_end ? absl::StatusOr<std::optional<tls::Event>>(std::nullopt) : event;
      }
      if (*event) {
        if (std::holds_alternative<tls::Renegotiated>(**event)) ++renegotiations_;
        return event;
      }
      RETURN_IF_ERROR(sent);
      ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, wire_->Read(flags_.async ? 1 : kReadBytes));
      if (bytes.empty()) {
        engine_.FeedEnd();
      } else {
        engine_.Feed(base::Slice(std::move(bytes)));
      }
    }
  }

  absl::Status Shake() {
    ASSIGN_OR_RETURN(std::optional<tls::Event> event, Await());
    if (!event || !std::holds_alternative<tls::HandshakeDone>(*event)) {
      return absl::InternalError("the first event is no HandshakeDone");
    }
    is_open_ = true;
    return absl::OkStatus();
  }

  absl::Status Write(base::Slice bytes) {
    base::Buffer buffer;
    buffer.Append(std::move(bytes));
    RETURN_IF_ERROR(engine_.Write(std::move(buffer)));
    return wire_->Write(engine_.TakeOutput());
  }

  absl::Status WriteDifferentSizes() {
    for (size_t size : kWriteSizes) {
      RETURN_IF_ERROR(Write(base::Slice(std::vector<uint8_t>(size, 0x42))));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<uint8_t>> ExportMaterial() {
    std::optional<base::ByteView> context;
    if (flags_.use_export_context) context = base::AsBytes(flags_.export_context);
    return engine_.Export(flags_.export_label, context,
                          static_cast<size_t>(flags_.export_keying_material));
  }

  absl::Status Echo() {
    while (true) {
      ASSIGN_OR_RETURN(std::optional<tls::Event> event, Await());
      if (flags_.use_exporter_between_reads) {
        RETURN_IF_ERROR(engine_.Export("bogo", std::nullopt, 1).status());
      }
      if (!event || std::holds_alternative<tls::PeerClosed>(*event)) return absl::OkStatus();
      const auto* data = std::get_if<tls::Data>(&*event);
      if (data == nullptr) continue;
      if (flags_.key_update) RETURN_IF_ERROR(engine_.UpdateKeys(/*ask_peer=*/false));
      std::vector<uint8_t> answer = base::ToVector(data->bytes);
      for (uint8_t& byte : answer) byte ^= 0xff;
      RETURN_IF_ERROR(Write(base::Slice(std::move(answer))));
    }
  }

  // Quietly, unless the runner looks for our close_notify; then the peer's must come too when we
  // are the first.
  absl::Status ShutDown() {
    if (!flags_.check_close_notify) return absl::OkStatus();
    engine_.Close();
    RETURN_IF_ERROR(wire_->Write(engine_.TakeOutput()));
    if (!flags_.shim_shuts_down) return absl::OkStatus();
    while (true) {
      ASSIGN_OR_RETURN(std::optional<tls::Event> event, Await());
      if (!event) return absl::FailedPreconditionError("expected close_notify, the bytes ended");
      if (std::holds_alternative<tls::PeerClosed>(*event)) return absl::OkStatus();
      if (std::holds_alternative<tls::Data>(*event)) {
        return absl::FailedPreconditionError("expected close_notify, got data");
      }
    }
  }

  const ConnectionFlags& flags_;
  const bool is_resume_;
  const std::unique_ptr<Wire> wire_;
  tls::Engine engine_;
  bool is_open_ = false;
  int renegotiations_ = 0;
};

}  // namespace

Exchanges::Exchanges(Flags flags)
    : flags_(std::move(flags)),
      sessions_(std::make_shared<tls::MemorySessionCache>(kMaxSessions)) {}

absl::StatusOr<std::shared_ptr<const tls::Context>> Exchanges::ContextFor(
    const ConnectionFlags& flags) {
  if (context_ != nullptr && offered_ == flags) return context_;
  if (context_ != nullptr && flags.is_server && !flags.expect_session_miss) {
    return absl::UnimplementedError("a server's tickets are those of one context");
  }
  ASSIGN_OR_RETURN(tls::Options options, ToOptions(flags));
  options.sessions.cache = sessions_;
  const tls::Role role = flags.is_server ? tls::Role::kServer : tls::Role::kClient;
  ASSIGN_OR_RETURN(context_, tls::Context::Create(std::move(options), role));
  offered_ = flags;
  return context_;
}

absl::Status Exchanges::Run(int index) {
  const ConnectionFlags& mine = flags_.ForConnection(index);
  ASSIGN_OR_RETURN(auto context, ContextFor(mine));
  ASSIGN_OR_RETURN(auto wire,
                   Wire::Connect(static_cast<uint16_t>(flags_.port), flags_.ipv6, ShimId(flags_)));
  tls::EngineOptions engine_options;
  // Sessions are kept by it. Without a flag it is neither sent nor looked for in a certificate.
  engine_options.peer_host = mine.host_name.empty() ? "runner" : mine.host_name;
  engine_options.port = static_cast<uint16_t>(flags_.port);
  return Exchange(mine, index > 0, std::move(context), std::move(wire), std::move(engine_options))
      .Run();
}

}  // namespace noded::bogo
