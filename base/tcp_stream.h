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

// An Asio error as a status: "where: cause", reason the errno's atom.
absl::Status NetError(const asio::error_code& error, const std::string& where);

}  // namespace noded::base
