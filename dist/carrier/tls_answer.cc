#include "dist/carrier/tls_answer.h"

#include <optional>
#include <utility>

#include "base/deadline.h"
#include "dist/preamble.h"

namespace noded::dist {
namespace {

using base::Slice;
using base::Stream;
using base::Task;
using Kind = TlsAnswer::Kind;

Kind KindOf(const Slice& first) {
  const Preamble preamble = RecognisePreamble(first.view());
  return preamble == Preamble::kTls || first.size() < 2 ? Kind::kTls : Kind::kOther;
}

class AnswerStream : public Stream {
 public:
  AnswerStream(std::unique_ptr<Stream> below, base::TimePoint until,
               std::shared_ptr<TlsAnswer> answer)
      : below_(std::move(below)), until_(until), answer_(std::move(answer)) {}

  Task<absl::StatusOr<Slice>> Read() override {
    std::optional<base::Deadline> patience;
    const bool is_first = answer_->kind == Kind::kPending;
    if (is_first) patience.emplace(below_->loop(), until_, [this] { below_->Abort(); });
    absl::StatusOr<Slice> bytes = co_await below_->Read();
    if (!is_first) co_return bytes;
    if (patience->is_over()) {
      answer_->kind = Kind::kSilence;
    } else if (!bytes.ok() || bytes->empty()) {
      answer_->kind = Kind::kClosed;
    } else {
      answer_->kind = KindOf(*bytes);
    }
    co_return bytes;
  }
  Task<absl::Status> Write(base::Buffer bytes) override { return below_->Write(std::move(bytes)); }
  Task<absl::Status> Close() override { return below_->Close(); }
  void Abort() override { below_->Abort(); }
  const base::PeerIdentity& peer() const override { return below_->peer(); }
  const base::PeerIdentity& local() const override { return below_->local(); }
  base::Loop& loop() override { return below_->loop(); }
  int descriptor() const override { return below_->descriptor(); }

 private:
  const std::unique_ptr<Stream> below_;
  const base::TimePoint until_;
  const std::shared_ptr<TlsAnswer> answer_;
};

}  // namespace

std::string TlsAnswer::text() const {
  switch (kind) {
    case Kind::kSilence:
      return "said nothing";
    case Kind::kClosed:
      return "closed the connection";
    case Kind::kOther:
      return "answered with something else";
    case Kind::kPending:
    case Kind::kTls:
      break;
  }
  return "speaks it";
}

std::unique_ptr<Stream> WatchAnswer(std::unique_ptr<Stream> stream, base::TimePoint until,
                                    std::shared_ptr<TlsAnswer> answer) {
  return std::make_unique<AnswerStream>(std::move(stream), until, std::move(answer));
}

}  // namespace noded::dist
