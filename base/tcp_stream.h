// A Stream over a connected TCP socket. Nagle is off, keep-alive as given by the owner of the
// socket.
//
//   auto stream = MakeTcpStream(loop, std::move(socket));
//
// Loop-confined, as every Stream.
#pragma once

#include <memory>

#include "asio/ip/tcp.hpp"

#include "base/stream.h"

namespace noded::base {

// `socket` must have been made on `loop`'s io_context and be connected.
std::unique_ptr<Stream> MakeTcpStream(Loop& loop, asio::ip::tcp::socket socket);

// The same over a connected socket of the operating system, which is taken over, also on failure.
// Call it on any thread. Errors: InvalidArgument (einval): it is no connected TCP socket.
absl::StatusOr<std::unique_ptr<Stream>> AdoptTcpSocket(Loop& loop, int descriptor);

// An Asio error as a status: "where: cause", reason the errno's atom.
absl::Status NetError(const asio::error_code& error, const std::string& where);

}  // namespace noded::base
