#include "base/prefixed_stream.h"

#include <utility>

namespace noded::base {
namespace {

class PrefixedStream : public Stream {
 public:
  PrefixedStream(Slice first, std::unique_ptr<Stream> rest)
      : first_(std::move(first)), rest_(std::move(rest)) {}

  Task<absl::StatusOr<Slice>> Read() override {
    if (!first_.empty()) co_return std::exchange(first_, Slice());
    absl::StatusOr<Slice> bytes = co_await rest_->Read();
    co_return bytes;
  }
  Task<absl::Status> Write(Buffer bytes) override { return rest_->Write(std::move(bytes)); }
  Task<absl::Status> Close() override { return rest_->Close(); }
  void Abort() override { rest_->Abort(); }
  const PeerIdentity& peer() const override { return rest_->peer(); }
  const PeerIdentity& local() const override { return rest_->local(); }
  Loop& loop() override { return rest_->loop(); }
  int descriptor() const override { return rest_->descriptor(); }

 private:
  Slice first_;
  const std::unique_ptr<Stream> rest_;
};

}  // namespace

std::unique_ptr<Stream> MakePrefixedStream(Slice first, std::unique_ptr<Stream> rest) {
  if (first.empty()) return rest;
  return std::make_unique<PrefixedStream>(std::move(first), std::move(rest));
}

}  // namespace noded::base
