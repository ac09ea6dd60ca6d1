#include "dist/fragment.h"

#include <algorithm>
#include <utility>

#include "base/byte_writer.h"
#include "base/status.h"
#include "dist/packet.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

absl::Status OutOfTurn(uint64_t sequence, uint64_t fragment, std::string_view why) {
  return base::Error(absl::StatusCode::kDataLoss,
                     fmt::format("fragment {} of sequence {:#x}: {}", fragment, sequence, why), "",
                     "bad_fragment");
}

absl::Status TooMuch(std::string_view what, std::string_view limit) {
  return base::Error(absl::StatusCode::kResourceExhausted, fmt::format("fragments: {}", what),
                     fmt::format("send less at once, or raise {}", limit), "system_limit");
}

}  // namespace

absl::StatusOr<std::optional<Assembled>> FragmentAssembler::Add(DistHeader header,
                                                                const base::Slice& body) {
  const uint64_t id = header.sequence_id;
  auto open = open_.find(id);
  if (header.fragment_id == 0) return OutOfTurn(id, 0, "they are numbered down to 1");
  if (header.kind == kFirstFragment) {
    if (open != open_.end())
      return OutOfTurn(id, header.fragment_id, "the sequence is open already");
    if (header.fragment_id == 1) return std::optional(Assembled{body, std::move(header.atoms)});
    if (open_.size() >= max_sequences_) {
      return TooMuch(fmt::format("more than {} messages in pieces at once", max_sequences_),
                     "max_fragment_sequences");
    }
    open = open_.try_emplace(id).first;
    open->second.atoms = std::move(header.atoms);
  } else if (open == open_.end()) {
    return OutOfTurn(id, header.fragment_id, "the sequence was not begun");
  } else if (header.fragment_id != open->second.last_id - 1) {
    return OutOfTurn(id, header.fragment_id, fmt::format("{} is due", open->second.last_id - 1));
  }
  Sequence& sequence = open->second;
  sequence.last_id = header.fragment_id;
  open_bytes_ += body.size();
  if (open_bytes_ > max_bytes_) {
    return TooMuch(fmt::format("more than {} bytes in unfinished messages", max_bytes_),
                   "max_fragmented_bytes");
  }
  if (body.size() < kShareFrom) {
    sequence.bytes.Append(body.view());
  } else {
    sequence.bytes.Append(body);
  }
  if (header.fragment_id != 1) return std::optional<Assembled>();
  open_bytes_ -= sequence.bytes.size();
  Assembled whole{sequence.bytes.ToSlice(), std::move(sequence.atoms)};
  open_.erase(open);
  return std::optional(std::move(whole));
}

std::deque<base::Buffer> SplitIntoFragments(base::Buffer control, base::Buffer payload,
                                            uint64_t sequence_id, const AtomTable& atoms) {
  const uint64_t count =
      std::max<uint64_t>((payload.size() + kFragmentBytes - 1) / kFragmentBytes, 1);
  std::deque<base::Buffer> packets;
  std::deque<base::Slice> rest = payload.pieces();
  for (uint64_t id = count; id > 0; --id) {
    base::ByteWriter packet;
    EncodeFragmentHeader(id == count, sequence_id, id, packet);
    if (id == count) {
      AtomCacheWriter::WriteAlone(atoms, packet);
      packet.Append(std::move(control));
    }
    size_t room = kFragmentBytes;
    while (room > 0 && !rest.empty()) {
      base::Slice piece = rest.front().Sub(0, room);
      rest.front() = rest.front().Sub(piece.size());
      if (rest.front().empty()) rest.pop_front();
      room -= piece.size();
      packet.Shared(std::move(piece));
    }
    packets.push_back(FramePacket(packet.Take()));
  }
  return packets;
}

}  // namespace noded::dist
