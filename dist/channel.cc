#include "dist/channel.h"

#include <utility>

#include "base/byte_writer.h"
#include "base/status.h"
#include "dist/etf.h"
#include "dist/etf_tags.h"
#include "dist/flags.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

// How much of large messages one TakeOutput() gives: few enough bytes that a small message does not
// wait long behind them.
constexpr size_t kBulkBytes = 2 * kFragmentBytes;
// 131, 68 or 112, and the atoms.
constexpr size_t kMaxHeaderBytes = 2 + AtomCacheWriter::kMaxBytes;

absl::Status BadPayload(const Control& control, std::string_view what) {
  return base::Error(absl::StatusCode::kDataLoss, fmt::format("{} {}", ControlName(control), what),
                     "", "bad_control");
}

// Puts the reason that came behind an exit into it.
void TakeReason(Control& control, std::optional<Term>& payload) {
  std::visit(
      [&payload](auto& message) {
        if constexpr (requires { message.is_reason_behind; }) {
          if (!std::exchange(message.is_reason_behind, false)) return;
          message.reason = *std::exchange(payload, std::nullopt);
        }
      },
      control);
}

}  // namespace

Channel::Channel(Options options)
    : options_(std::move(options)),
      packets_(options_.limits),
      fragments_(options_.limits),
      next_tick_(options_.now + options_.tick_interval) {}

// Reading.

void Channel::Feed(base::Slice bytes) {
  has_received_ |= !bytes.empty();
  packets_.Feed(std::move(bytes));
}

absl::StatusOr<std::optional<Channel::Event>> Channel::Next(base::TimePoint now) {
  if (failure_.ok()) failure_ = Tick(now);
  while (failure_.ok()) {
    absl::StatusOr<std::optional<base::Slice>> packet = packets_.Next();
    if (packet.ok() && !*packet) return std::optional<Event>();
    absl::StatusOr<std::optional<Event>> event =
        packet.ok() ? TakePacket(**packet) : packet.status();
    if (!event.ok()) failure_ = event.status();
    if (event.ok() && *event) return event;
  }
  return failure_;
}

// None: a tick, or a fragment that is not the last.
absl::StatusOr<std::optional<Channel::Event>> Channel::TakePacket(const base::Slice& packet) {
  if (packet.empty()) return std::optional<Event>();
  const uint8_t first = packet.data()[0];
  if (first == kPassThrough) return std::optional(Decode(packet, 1, {}, /*is_bare=*/false));
  if (first != kVersionMagic) {
    return base::Error(absl::StatusCode::kDataLoss,
                       fmt::format("packet of {} bytes that begins with byte {}, not 112 or 131",
                                   packet.size(), first),
                       "", "bad_packet");
  }
  ASSIGN_OR_RETURN(DistHeader header, atoms_.Read(packet));
  if (!header.is_fragment()) {
    return std::optional(Decode(packet, header.size, header.atoms, /*is_bare=*/true));
  }
  const base::Slice body = packet.Sub(header.size);
  ASSIGN_OR_RETURN(std::optional<Assembled> whole, fragments_.Add(std::move(header), body));
  if (!whole) return std::optional<Event>();
  return std::optional(Decode(whole->bytes, 0, whole->atoms, /*is_bare=*/true));
}

Channel::Event Channel::Decode(const base::Slice& packet, size_t offset,
                               std::span<const Term> atoms, bool is_bare) {
  absl::StatusOr<Message> message = DecodeMessage(packet, offset, atoms, is_bare);
  if (message.ok()) return *std::move(message);
  return BadMessage{
      base::Annotate(message.status(), fmt::format("message of {} bytes", packet.size() - offset))};
}

absl::StatusOr<Channel::Message> Channel::DecodeMessage(const base::Slice& packet, size_t offset,
                                                        std::span<const Term> atoms, bool is_bare) {
  const auto take_term = [&]() -> absl::StatusOr<Term> {
    absl::StatusOr<DecodedTerm> decoded =
        is_bare ? DecodeBareTermAt(packet, offset, atoms, options_.limits)
                : DecodeTermAt(packet, offset, options_.limits);
    if (!decoded.ok()) return decoded.status();
    offset += decoded->size;
    return std::move(decoded->term);
  };
  ASSIGN_OR_RETURN(const Term term, take_term());
  ASSIGN_OR_RETURN(Control control, DecodeControl(term));
  Message message{std::move(control), std::nullopt};
  if (HasPayload(message.control)) {
    if (offset == packet.size()) return BadPayload(message.control, "without the term behind it");
    ASSIGN_OR_RETURN(message.payload, take_term());
  }
  if (offset != packet.size()) {
    return BadPayload(message.control,
                      fmt::format("with {} bytes too many behind it", packet.size() - offset));
  }
  TakeReason(message.control, message.payload);
  return message;
}

// Time.

std::optional<base::TimePoint> Channel::Deadline() const {
  if (!failure_.ok() || options_.tick_interval <= base::Duration::zero()) return std::nullopt;
  return next_tick_;
}

absl::Status Channel::Tick(base::TimePoint now) {
  if (options_.tick_interval <= base::Duration::zero() || now < next_tick_) {
    return absl::OkStatus();
  }
  next_tick_ = now + options_.tick_interval;
  if (!std::exchange(has_sent_, false) && queued_bytes_ == 0) {
    ready_.Append(FramePacket({}));
    queued_bytes_ = ready_.size();
  }
  silent_ticks_ = std::exchange(has_received_, false) ? 0 : silent_ticks_ + 1;
  if (silent_ticks_ < options_.tick_intensity) return absl::OkStatus();
  const auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(
      options_.tick_intensity * options_.tick_interval);
  return base::Error(absl::StatusCode::kUnavailable,
                     fmt::format("link: nothing came from the peer for {} ms", silence.count()),
                     "see whether the peer and the network are up; net_ticktime must be the same "
                     "at both ends",
                     "net_tick_timeout");
}

// Writing.

bool Channel::Send(const Control& control, const std::optional<Term>& payload) {
  const uint64_t flags = options_.flags;
  const Term* behind = ReasonBehind(control, flags);
  if (behind == nullptr && HasPayload(control)) {
    if (!payload) return false;
    behind = &*payload;
  }
  if (!IsNegotiated(control, flags)) return false;

  const bool is_bare = (flags & dflag::kDistHdrAtomCache) != 0;
  AtomTable atoms;
  const auto encode = [is_bare, &atoms](const Term& term) {
    base::ByteWriter out;
    is_bare ? EncodeBareTerm(term, out, &atoms) : EncodeTerm(term, out);
    return out.Take();
  };
  base::Buffer head = encode(EncodeControl(control, flags));
  base::Buffer tail = behind ? encode(*behind) : base::Buffer();
  Lane packets;
  if (is_bare && (flags & dflag::kFragments) && tail.size() > kFragmentBytes) {
    packets = SplitIntoFragments(std::move(head), std::move(tail), next_sequence_++, atoms);
  } else {
    // The cache must not change for what is not sent.
    if (head.size() + tail.size() > kMaxPacketBytes - kMaxHeaderBytes) return false;
    base::ByteWriter body;
    if (is_bare) {
      WriteHeader(SenderOf(control), atoms, body);
    } else {
      body.U8(kPassThrough);
    }
    body.Append(std::move(head));
    body.Append(std::move(tail));
    packets.push_back(FramePacket(body.Take()));
  }
  for (const base::Buffer& packet : packets) queued_bytes_ += packet.size();
  has_sent_ = true;
  Queue(SenderOf(control), std::move(packets));
  return true;
}

void Channel::WriteHeader(const Pid* sender, const AtomTable& atoms, base::ByteWriter& out) {
  EncodePlainHeader(out);
  const bool may_be_overtaken = sender != nullptr && lanes_.contains(*sender);
  if (may_be_overtaken) {
    AtomCacheWriter::WriteAlone(atoms, out);
  } else {
    sent_atoms_.Write(atoms, out);
  }
}

// A message waits behind a large one of the same sender only. One whose sender is not known waits
// for all: they are moved to the front then.
void Channel::Queue(const Pid* sender, Lane packets) {
  if (sender == nullptr) {
    while (!turns_.empty()) TakeTurn(ready_);
  }
  const Pid key = sender ? *sender : Pid();
  if (auto lane = lanes_.find(key); lane != lanes_.end()) {
    for (base::Buffer& packet : packets) lane->second.push_back(std::move(packet));
  } else if (packets.size() == 1) {
    ready_.Append(std::move(packets.front()));
  } else {
    lanes_.emplace(key, std::move(packets));
    turns_.push_back(key);
  }
}

// Moves one packet of the lane whose turn it is to `out`.
void Channel::TakeTurn(base::Buffer& out) {
  const Pid key = std::move(turns_.front());
  turns_.pop_front();
  const auto lane = lanes_.find(key);
  out.Append(std::move(lane->second.front()));
  lane->second.pop_front();
  if (lane->second.empty()) {
    lanes_.erase(lane);
  } else {
    turns_.push_back(key);
  }
}

base::Buffer Channel::TakeOutput() {
  base::Buffer out = std::move(ready_);
  const size_t small = out.size();
  while (!turns_.empty() && out.size() - small < kBulkBytes) {
    TakeTurn(out);
    has_sent_ = true;
  }
  queued_bytes_ -= out.size();
  return out;
}

}  // namespace noded::dist
