#include "dist/epmd_client.h"

#include <optional>
#include <utility>

#include "fmt/format.h"

#include "base/buffer.h"
#include "base/status.h"
#include "dist/carrier/deadline.h"

namespace noded::dist {
namespace {

using base::Slice;
using base::Stream;

using SharedStream = std::shared_ptr<Stream>;

std::string EpmdAt(const std::string& host, uint16_t port) {
  base::PeerIdentity identity;
  identity.address = host;
  identity.port = port;
  return fmt::format("epmd at {}", base::AddressText(identity));
}

absl::Status TimedOut(const std::string& where) {
  return base::Error(absl::StatusCode::kDeadlineExceeded,
                     fmt::format("{}: no answer in time", where),
                     "check that an epmd, and nothing else, has that port", "timeout");
}

absl::Status CutOff(const std::string& where) {
  return base::Error(absl::StatusCode::kDataLoss,
                     fmt::format("{}: it closed the connection without a whole answer", where),
                     "check that an epmd, and nothing else, has that port and that it takes "
                     "requests from this host",
                     "epmd_close");
}

absl::Status ConnectError(const absl::Status& status, const std::string& host, uint16_t port) {
  if (base::ReasonOf(status) != "econnrefused") {
    return base::Annotate(status, EpmdAt(host, port));
  }
  base::PeerIdentity identity;
  identity.address = host;
  identity.port = port;
  return base::Error(absl::StatusCode::kUnavailable,
                     fmt::format("no epmd at {}: connection refused", base::AddressText(identity)),
                     "start one there (epmd -daemon, or a node that starts it), or do without: "
                     "-erl_epmd_port N on both sides",
                     "econnrefused");
}

absl::Status NotAName(const std::string& name) {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("\"{}\" is no node name", name),
                     "give a name of 1 to 255 characters without control characters", "badarg");
}

// Sends `request`, which is encoded by the caller (g++ 12 destroys a temporary struct in a co_await
// expression twice), and returns the open connection.
base::Task<absl::StatusOr<SharedStream>> Ask(base::Loop& loop, base::Buffer request,
                                             std::string host, uint16_t port, AddressFamily family,
                                             base::TimePoint deadline) {
  absl::StatusOr<std::unique_ptr<Stream>> connected =
      co_await ConnectTcp(loop, host, port, family, deadline);
  if (!connected.ok()) co_return ConnectError(connected.status(), host, port);
  SharedStream stream = *std::move(connected);
  // A request fits any socket's send buffer: this does not wait.
  absl::Status written = co_await stream->Write(std::move(request));
  if (!written.ok()) co_return base::Annotate(written, EpmdAt(host, port));
  co_return stream;
}

// Reads until `decode` has a reply. T: what it decodes to.
template <class T>
base::Task<absl::StatusOr<T>> ReadReply(
    base::Loop& loop, SharedStream stream, std::string where, size_t limit,
    base::TimePoint deadline, absl::StatusOr<std::optional<T>> (*decode)(base::ByteView)) {
  Deadline guard(loop, deadline, [stream = stream.get()] { stream->Abort(); });
  base::Buffer so_far;
  while (true) {
    absl::StatusOr<Slice> bytes = co_await stream->Read();
    if (guard.is_over()) co_return TimedOut(where);
    if (!bytes.ok()) co_return base::Annotate(bytes.status(), where);
    if (bytes->empty()) co_return CutOff(where);
    so_far.Append(*std::move(bytes));
    if (so_far.size() > limit) {
      co_return base::Error(absl::StatusCode::kResourceExhausted,
                            fmt::format("{}: an answer of more than {} bytes", where, limit),
                            "check that an epmd, and nothing else, has that port");
    }
    absl::StatusOr<std::optional<T>> reply = decode(so_far.ToSlice());
    if (!reply.ok()) co_return base::Annotate(reply.status(), where);
    if (reply->has_value()) co_return **std::move(reply);
  }
}

// Reads to the end of the connection.
base::Task<absl::StatusOr<Slice>> ReadWhole(base::Loop& loop, SharedStream stream,
                                            std::string where, size_t limit,
                                            base::TimePoint deadline) {
  Deadline guard(loop, deadline, [stream = stream.get()] { stream->Abort(); });
  base::Buffer whole;
  while (true) {
    absl::StatusOr<Slice> bytes = co_await stream->Read();
    if (guard.is_over()) co_return TimedOut(where);
    if (!bytes.ok()) co_return base::Annotate(bytes.status(), where);
    if (bytes->empty()) co_return whole.ToSlice();
    whole.Append(*std::move(bytes));
    if (whole.size() > limit) {
      co_return base::Error(absl::StatusCode::kResourceExhausted,
                            fmt::format("{}: an answer of more than {} bytes", where, limit),
                            "check that an epmd, and nothing else, has that port");
    }
  }
}

// The tasks take everything by value: the client may be gone before they end.

base::Task<absl::StatusOr<std::vector<EpmdName>>> AskNames(base::Loop& loop,
                                                           EpmdClient::Options options,
                                                           std::string host, AddressFamily family,
                                                           base::TimePoint deadline) {
  const std::string where = EpmdAt(host, options.port);
  base::Buffer request = EncodeEpmdRequest(EpmdNames{});
  absl::StatusOr<SharedStream> stream =
      co_await Ask(loop, std::move(request), host, options.port, family, deadline);
  if (!stream.ok()) co_return stream.status();
  absl::StatusOr<Slice> whole =
      co_await ReadWhole(loop, *stream, where, options.limits.max_epmd_reply_bytes, deadline);
  if (!whole.ok()) co_return whole.status();
  absl::StatusOr<EpmdNamesReply> reply = DecodeEpmdNamesReply(*whole);
  if (!reply.ok()) co_return base::Annotate(reply.status(), where);
  co_return std::move(reply->names);
}

base::Task<absl::StatusOr<EpmdNode>> AskPort(base::Loop& loop, EpmdClient::Options options,
                                             std::string name, std::string host,
                                             AddressFamily family, base::TimePoint deadline) {
  const std::string where = EpmdAt(host, options.port);
  if (!IsEpmdName(name)) co_return NotAName(name);
  base::Buffer request = EncodeEpmdRequest(EpmdLookUp{name});
  absl::StatusOr<SharedStream> stream =
      co_await Ask(loop, std::move(request), host, options.port, family, deadline);
  if (!stream.ok()) co_return stream.status();
  absl::StatusOr<EpmdLookUpReply> reply = co_await ReadReply(
      loop, *stream, where, options.limits.max_epmd_reply_bytes, deadline, &DecodeEpmdLookUpReply);
  if (!reply.ok()) co_return reply.status();
  if (!reply->node) {
    co_return base::Error(
        absl::StatusCode::kNotFound,
        fmt::format("no node {} at {}: its epmd (port {}) does not know the name", name, host,
                    options.port),
        "check the node's name and that it runs with distribution on; nodectl names lists those "
        "that do",
        "noport");
  }
  if (reply->node->port == 0) {
    co_return base::Error(
        absl::StatusCode::kNotFound,
        fmt::format("node {} at {} is registered without a port", name, host),
        "it takes no connections (-dist_listen false): let it connect to this one", "noport");
  }
  co_return *std::move(reply->node);
}

base::Task<absl::StatusOr<std::unique_ptr<EpmdRegistration>>> AskToRegister(
    base::Loop& loop, EpmdClient::Options options, EpmdNode node, AddressFamily family,
    base::TimePoint deadline) {
  const std::string host = family == AddressFamily::kV6 ? "::1" : "127.0.0.1";
  const std::string where = EpmdAt(host, options.port);
  if (!IsEpmdName(node.name)) co_return NotAName(node.name);
  const std::string name = node.name;
  base::Buffer request = EncodeEpmdRequest(EpmdRegister{std::move(node)});
  absl::StatusOr<SharedStream> stream =
      co_await Ask(loop, std::move(request), host, options.port, family, deadline);
  if (!stream.ok()) co_return stream.status();
  absl::StatusOr<EpmdRegisterReply> reply =
      co_await ReadReply(loop, *stream, where, options.limits.max_epmd_reply_bytes, deadline,
                         &DecodeEpmdRegisterReply);
  if (!reply.ok()) co_return reply.status();
  if (!reply->is_accepted) {
    co_return base::Error(
        absl::StatusCode::kAlreadyExists,
        fmt::format("register {}: {} refused, most likely because a node of that name runs on this "
                    "host",
                    name, where),
        "stop that node, or choose another name with -name or -sname", "duplicate_name");
  }
  co_return std::make_unique<EpmdRegistration>(*std::move(stream), reply->creation);
}

}  // namespace

base::Task<absl::Status> EpmdRegistration::WaitForEnd(std::shared_ptr<Stream> stream) {
  const std::string where = fmt::format("epmd at {}", base::AddressText(stream->peer()));
  absl::StatusOr<Slice> bytes = co_await stream->Read();
  // epmd says nothing after its reply; whatever came, it is no registration any more.
  if (bytes.ok()) stream->Abort();
  if (!bytes.ok() && base::ReasonOf(bytes.status()) == "closed") {
    co_return base::Annotate(bytes.status(), where);
  }
  co_return base::Error(
      absl::StatusCode::kUnavailable,
      fmt::format("{}: it went away, and with it this node's registration", where),
      "start it again; the node registers anew by itself", "epmd_close");
}

base::Task<absl::StatusOr<std::vector<EpmdName>>> EpmdClient::Names(std::string host,
                                                                    AddressFamily family,
                                                                    base::TimePoint deadline) {
  return AskNames(loop_, options_, std::move(host), family, deadline);
}

base::Task<absl::StatusOr<EpmdNode>> EpmdClient::LookUp(std::string name, std::string host,
                                                        AddressFamily family,
                                                        base::TimePoint deadline) {
  return AskPort(loop_, options_, std::move(name), std::move(host), family, deadline);
}

base::Task<absl::StatusOr<std::unique_ptr<EpmdRegistration>>> EpmdClient::Register(
    EpmdNode node, AddressFamily family, base::TimePoint deadline) {
  return AskToRegister(loop_, options_, std::move(node), family, deadline);
}

}  // namespace noded::dist
