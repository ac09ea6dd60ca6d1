// Our end of a TLS connection to a foreign program: the carrier inet_tls on a loop of its own.
//
//   TlsSide ours(server_options, client_options);
//   auto accepted = ours.Accept();                     // a foreign client connects to ours.port()
//   auto stream = ours.Connect(port, "b.example");     // or we to a foreign server
//   ours.Write(**stream, "hello\n");  ours.Read(**stream, 6);
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/loop.h"
#include "base/stream.h"
#include "dist/carrier/listener.h"
#include "dist/carrier/tls.h"
#include "tests/testlib/test_certs.h"

namespace noded::interop {

using StreamResult = absl::StatusOr<std::unique_ptr<base::Stream>>;

// Verifies against certs.ca(), and as a server insists on a certificate.
inline tls::Options MutualOptions(const testlib::TestCerts& certs, const testlib::CertFiles& files,
                                  tls::Role role) {
  tls::Options options;
  options.identity.certfile = files.cert;
  options.identity.keyfile = files.key;
  options.trust.cacertfile = certs.ca();
  options.trust.verify = tls::Verify::kPeer;
  options.trust.fail_if_no_peer_cert = role == tls::Role::kServer;
  return options;
}

class TlsSide {
 public:
  TlsSide(const tls::Options& server, const tls::Options& client)
      : carrier_(dist::MakeTlsCarrier(false, Make(server, tls::Role::kServer),
                                      Make(client, tls::Role::kClient))) {
    auto listener = dist::Listener::Listen(loop_, false, {"127.0.0.1"});
    EXPECT_TRUE(listener.ok()) << listener.status();
    if (listener.ok()) listener_ = *std::move(listener);
  }
  ~TlsSide() {
    loop_.Run([&] { listener_->Close(); });
    loop_.Stop();
  }

  uint16_t port() const { return listener_->port(); }

  StreamResult Connect(uint16_t port, std::string host) {
    return Start(carrier_->Connect(loop_, {"127.0.0.1", port, std::move(host)}, Soon())).get();
  }
  std::future<StreamResult> Accept() {
    return Start(AcceptOne(&loop_, listener_.get(), carrier_.get()));
  }

  // At least `count` bytes, or what came before the end.
  absl::StatusOr<std::string> Read(base::Stream& stream, size_t count) {
    return Start(ReadBytes(&stream, count)).get();
  }
  absl::Status Write(base::Stream& stream, std::string_view text) {
    base::Buffer buffer;
    buffer.Append(text);
    return Start(stream.Write(std::move(buffer))).get();
  }
  // These while something else goes on.
  std::future<absl::StatusOr<std::string>> ReadMeanwhile(base::Stream& stream, size_t count) {
    return Start(ReadBytes(&stream, count));
  }
  std::future<absl::Status> WriteMeanwhile(base::Stream& stream, std::string_view text) {
    base::Buffer buffer;
    buffer.Append(text);
    return Start(stream.Write(std::move(buffer)));
  }
  absl::Status Close(base::Stream& stream) { return Start(stream.Close()).get(); }
  // Streams end on their loop.
  void Drop(StreamResult& stream) {
    loop_.Run([&] { stream = absl::UnknownError("dropped"); });
  }

 private:
  static base::TimePoint Soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(60);
  }
  static std::shared_ptr<const tls::Context> Make(const tls::Options& options, tls::Role role) {
    auto context = tls::Context::Create(options, role);
    EXPECT_TRUE(context.ok()) << context.status();
    return context.ok() ? *std::move(context) : nullptr;
  }
  template <class T>
  std::future<T> Start(base::Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    std::future<T> future = promise->get_future();
    base::Spawn(loop_, "test", std::move(task),
                [promise](T result) { promise->set_value(std::move(result)); });
    return future;
  }
  static base::Task<StreamResult> AcceptOne(base::Loop* loop, dist::Listener* listener,
                                            dist::Carrier* carrier) {
    StreamResult raw = co_await listener->Accept(*loop);
    if (!raw.ok()) co_return raw.status();
    StreamResult secure = co_await carrier->Secure(*std::move(raw), Soon());
    co_return secure;
  }
  static base::Task<absl::StatusOr<std::string>> ReadBytes(base::Stream* stream, size_t count) {
    std::string text;
    while (text.size() < count) {
      absl::StatusOr<base::Slice> bytes = co_await stream->Read();
      if (!bytes.ok()) co_return bytes.status();
      if (bytes->empty()) break;
      text += bytes->text();
    }
    co_return text;
  }

  std::unique_ptr<dist::Carrier> carrier_;
  base::Loop loop_;
  std::unique_ptr<dist::Listener> listener_;
};

}  // namespace noded::interop
