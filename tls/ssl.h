// Erlang's `ssl` application for C++: TLS sockets to listen with, to connect and to talk over, on a
// loop or from threads. This header is the way in; docs/ssl.md has each function and option of the
// original with what became of it.
//
//   ASSIGN_OR_RETURN(auto ssl, Ssl::Start());
//
//   Options server = ssl->Defaults(Role::kServer);                   // a server, in a thread
//   server.identity.certfile = "server.pem";
//   ASSIGN_OR_RETURN(auto listener, ssl->Listen(9999, server));
//   ASSIGN_OR_RETURN(auto accepted, listener->TransportAccept());
//   ASSIGN_OR_RETURN(auto socket, ssl->Handshake(std::move(accepted), {.timeout = seconds(5)}));
//   ASSIGN_OR_RETURN(base::Slice line, socket->Recv(0));
//
//   Options client = ssl->Defaults(Role::kClient);                   // a client, in a thread
//   client.trust.cacertfile = "ca.pem";
//   ASSIGN_OR_RETURN(auto socket, ssl->Connect("b.example", 9999, client));
//   RETURN_IF_ERROR(socket->Send("hello\n"));
//   RETURN_IF_ERROR(socket->Close());
//
//   auto socket = co_await ssl->AsyncConnect(loop, "b.example", 9999, context, setup);  // on a
//   loop auto bytes = co_await (*socket)->AsyncRecv(0);
//
// Active mode: give an owner (tls/ssl_owner.h, tls/ssl_inbox.h) and it gets data, closed, error and
// passive as messages, no faster than it takes them. Errors are values, with the reason that an
// Erlang user expects: base::ReasonOf(status) is closed, timeout, einval, or an alert's name where
// Erlang has {tls_alert, {Name, Text}}. Source: OTP ssl(3).
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "tls/context_source.h"  // ClearPemCache(): clear_pem_cache/0
#include "tls/ssl_application.h"
#include "tls/ssl_inbox.h"
#include "tls/ssl_listener.h"
#include "tls/ssl_owner.h"
#include "tls/ssl_socket.h"
#include "tls/ssl_types.h"

namespace noded::tls {

// versions/0.
struct SslVersions {
  std::vector<std::string> supported;  // used unless `versions` says otherwise, the best first
  std::vector<std::string> available;  // what this build has
};
SslVersions GetVersions();

// cipher_suites/1: kErlang and kOpenssl are the default suites by their IANA and OpenSSL names,
// kAll are all that there are, by IANA name; the best first.
enum class CipherSuiteNames { kErlang, kOpenssl, kAll };
std::vector<std::string> CipherSuites(CipherSuiteNames names = CipherSuiteNames::kErlang);

// format_error/1: what happened and what to do, for people.
std::string FormatError(const absl::Status& status);

}  // namespace noded::tls
