#include "dist/handshake_format.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/status.h"
#include "dist/utf8.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

constexpr std::string_view kNamed = "named:";
constexpr uint16_t kOldVersion = 5;

template <class... Lambdas>
struct Overload : Lambdas... {
  using Lambdas::operator()...;
};
template <class... Lambdas>
Overload(Lambdas...) -> Overload<Lambdas...>;

// Each message, written and read side by side.

void Write(const HandshakeName& name, base::ByteWriter& out) {
  if (name.version < 6) {
    out.U8('n');
    out.U16(kOldVersion);
    out.U32(static_cast<uint32_t>(name.flags));
    return out.Bytes(name.name);
  }
  out.U8('N');
  out.U64(name.flags);
  out.U32(name.creation);
  out.U16(static_cast<uint16_t>(name.name.size()));
  out.Bytes(name.name);
}

HandshakeName ReadName(uint8_t tag, base::ByteReader& in) {
  HandshakeName name;
  if (tag == 'n') {
    name.version = in.U16();
    name.flags = in.U32();
    name.name = base::ToString(in.Rest());
    if (name.version != kOldVersion) in.Fail();
    return name;
  }
  name.flags = in.U64();
  name.creation = in.U32();
  name.name = base::ToString(in.Bytes(in.U16()));
  return name;  // what follows must be ignored
}

void Write(const HandshakeStatus& status, base::ByteWriter& out) {
  out.U8('s');
  out.Bytes(status.text);
  if (status.text != kNamed) return;
  out.U16(static_cast<uint16_t>(status.name.size()));
  out.Bytes(status.name);
  out.U32(status.creation);
}

HandshakeStatus ReadStatus(base::ByteReader& in) {
  HandshakeStatus status;
  std::string text = base::ToString(in.Rest());
  if (!text.starts_with(kNamed)) {
    status.text = std::move(text);
    return status;
  }
  base::ByteReader fields(base::AsBytes(text).subspan(kNamed.size()));
  status.text = kNamed;
  status.name = base::ToString(fields.Bytes(fields.U16()));
  status.creation = fields.U32();
  if (!fields.ok()) in.Fail();
  return status;  // what follows must be ignored
}

void Write(const HandshakeChallenge& challenge, base::ByteWriter& out) {
  if (challenge.version < 6) {
    out.U8('n');
    out.U16(kOldVersion);
    out.U32(static_cast<uint32_t>(challenge.flags));
    out.U32(challenge.challenge);
    return out.Bytes(challenge.name);
  }
  out.U8('N');
  out.U64(challenge.flags);
  out.U32(challenge.challenge);
  out.U32(challenge.creation);
  out.U16(static_cast<uint16_t>(challenge.name.size()));
  out.Bytes(challenge.name);
}

HandshakeChallenge ReadChallenge(uint8_t tag, base::ByteReader& in) {
  HandshakeChallenge challenge;
  if (tag == 'n') {
    challenge.version = in.U16();
    challenge.flags = in.U32();
    challenge.challenge = in.U32();
    challenge.name = base::ToString(in.Rest());
    if (challenge.version != kOldVersion) in.Fail();
    return challenge;
  }
  challenge.flags = in.U64();
  challenge.challenge = in.U32();
  challenge.creation = in.U32();
  challenge.name = base::ToString(in.Bytes(in.U16()));
  return challenge;  // what follows must be ignored
}

void Write(const HandshakeComplement& complement, base::ByteWriter& out) {
  out.U8('c');
  out.U32(complement.flags_high);
  out.U32(complement.creation);
}

HandshakeComplement ReadComplement(base::ByteReader& in) {
  HandshakeComplement complement;
  complement.flags_high = in.U32();
  complement.creation = in.U32();
  if (!in.done()) in.Fail();
  return complement;
}

base::Md5Digest ReadDigest(base::ByteReader& in) {
  base::Md5Digest digest{};
  const base::ByteView bytes = in.Bytes(digest.size());
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  if (!in.done()) in.Fail();
  return digest;
}

void Write(const HandshakeReply& reply, base::ByteWriter& out) {
  out.U8('r');
  out.U32(reply.challenge);
  out.Bytes(reply.digest);
}

HandshakeReply ReadReply(base::ByteReader& in) {
  HandshakeReply reply;
  reply.challenge = in.U32();
  reply.digest = ReadDigest(in);
  return reply;
}

void Write(const HandshakeAck& ack, base::ByteWriter& out) {
  out.U8('a');
  out.Bytes(ack.digest);
}

HandshakeAck ReadAck(base::ByteReader& in) { return {ReadDigest(in)}; }

HandshakeMessage Read(uint8_t tag, HandshakeReader reader, base::ByteReader& in) {
  switch (tag) {
    case 'N':
    case 'n':
      if (reader == HandshakeReader::kAcceptor) return ReadName(tag, in);
      return ReadChallenge(tag, in);
    case 's':
      return ReadStatus(in);
    case 'c':
      return ReadComplement(in);
    case 'r':
      return ReadReply(in);
    case 'a':
      return ReadAck(in);
    default:
      in.Fail();
      return HandshakeStatus{};
  }
}

bool HasOddCharacter(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](unsigned char c) {
    return c <= 0x20 || c == 0x7f || (c >= 0x80 && c <= 0xa0);
  });
}

}  // namespace

base::Buffer EncodeHandshake(const HandshakeMessage& message, HandshakeFraming framing) {
  base::ByteWriter body;
  std::visit([&body](const auto& fields) { Write(fields, body); }, message);
  base::ByteWriter out;
  if (framing == HandshakeFraming::k4Bytes) out.U16(0);
  out.U16(static_cast<uint16_t>(body.size()));
  out.Append(body.Take());
  return out.Take();
}

absl::StatusOr<HandshakeMessage> DecodeHandshake(base::ByteView body, HandshakeReader reader) {
  base::ByteReader in(body);
  const uint8_t tag = in.U8();
  HandshakeMessage message = Read(tag, reader, in);
  if (in.ok()) return message;
  constexpr size_t kShownBytes = 32;
  return base::Error(
      absl::StatusCode::kDataLoss,
      fmt::format("handshake: a message of {} bytes that is none of the protocol's "
                  "(it begins with {})",
                  body.size(), base::ToHex(body.subspan(0, std::min(body.size(), kShownBytes)))),
      "check that an Erlang node listens there", "bad_handshake");
}

std::string_view HandshakeMessageName(const HandshakeMessage& message) {
  return std::visit(
      Overload{
          [](const HandshakeName&) { return std::string_view("send_name"); },
          [](const HandshakeStatus&) { return std::string_view("send_status"); },
          [](const HandshakeChallenge&) { return std::string_view("send_challenge"); },
          [](const HandshakeComplement&) { return std::string_view("send_complement"); },
          [](const HandshakeReply&) { return std::string_view("send_challenge_reply"); },
          [](const HandshakeAck&) { return std::string_view("send_challenge_ack"); },
      },
      message);
}

std::string EncodeNodeName(const AtomName& name) {
  return Utf8ToLatin1(name.view()).value_or(name.ToString());
}

absl::StatusOr<AtomName> DecodeNodeName(const std::string& bytes, bool is_host) {
  const size_t at = bytes.find('@');
  const bool is_well_formed = is_host
                                  ? !bytes.empty() && at == std::string::npos
                                  : at != std::string::npos && at != 0 && at + 1 != bytes.size() &&
                                        bytes.find('@', at + 1) == std::string::npos;
  if (!is_well_formed || bytes.size() > AtomName::kMaxCharacters || HasOddCharacter(bytes)) {
    return base::Error(
        absl::StatusCode::kDataLoss,
        fmt::format("handshake: the peer's name (in hexadecimal {}) is not of the form {}",
                    base::ToHex(base::AsBytes(bytes.substr(0, AtomName::kMaxCharacters))),
                    is_host ? "host" : "name@host"),
        "start the peer with -name or -sname", "bad_name");
  }
  return AtomName(Latin1ToUtf8(bytes));
}

}  // namespace noded::dist
