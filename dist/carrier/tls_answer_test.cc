#include "dist/carrier/tls_answer.h"

#include <string>

#include <gtest/gtest.h>

#include "base/memory_stream.h"

namespace noded::dist {
namespace {

using base::Slice;
using Kind = TlsAnswer::Kind;
using std::chrono::milliseconds;

// Two reads: what the second one gives is no answer.
base::Task<absl::Status> ReadTwice(base::Stream* stream, std::string* got) {
  for (int i = 0; i < 2; ++i) {
    absl::StatusOr<Slice> bytes = co_await stream->Read();
    if (!bytes.ok()) co_return bytes.status();
    got->append(bytes->text());
  }
  co_return absl::OkStatus();
}

base::Task<absl::Status> Say(base::Stream* stream, std::string text) {
  base::Buffer bytes;
  bytes.Append(text);
  absl::Status written = co_await stream->Write(std::move(bytes));
  if (!written.ok()) co_return written;
  absl::Status closed = co_await stream->Close();
  co_return closed;
}

class TlsAnswerTest : public testing::Test {
 protected:
  // What `said`, and then the end of the stream, is taken for.
  Kind KindOf(const std::string& said) {
    auto answer = std::make_shared<TlsAnswer>();
    std::unique_ptr<base::Stream> watched, far;
    loop_.Run([&] {
      auto [near, other] = base::MakeMemoryStreams(loop_);
      watched = WatchAnswer(std::move(near), loop_.Now() + std::chrono::minutes(1), answer);
      far = std::move(other);
      return true;
    });
    EXPECT_TRUE(base::Await(loop_, Say(far.get(), said)).ok());
    std::string got;
    EXPECT_TRUE(base::Await(loop_, ReadTwice(watched.get(), &got)).ok());
    EXPECT_EQ(got, said);
    loop_.Run([&] {
      watched.reset();
      far.reset();
      return true;
    });
    EXPECT_EQ(answer->is_none(), answer->kind != Kind::kTls);
    return answer->kind;
  }

  base::Loop loop_;
};

TEST_F(TlsAnswerTest, TlsIsToldFromOtherAnswersByItsFirstBytes) {
  EXPECT_EQ(KindOf("\x16\x03\x03"), Kind::kTls);     // a handshake
  EXPECT_EQ(KindOf("\x15\x03\x01..."), Kind::kTls);  // an alert
  EXPECT_EQ(KindOf("\x16"), Kind::kTls);             // may become one
  EXPECT_EQ(KindOf(std::string("\0\x03sok", 5)), Kind::kOther);
  EXPECT_EQ(KindOf("HTTP/1.1 400"), Kind::kOther);
  EXPECT_EQ(KindOf(""), Kind::kClosed);
}

TEST_F(TlsAnswerTest, SilenceIsNoAnswerAndEnds) {
  auto answer = std::make_shared<TlsAnswer>();
  std::unique_ptr<base::Stream> watched, far;
  loop_.Run([&] {
    auto [near, other] = base::MakeMemoryStreams(loop_);
    watched = WatchAnswer(std::move(near), loop_.Now() + milliseconds(20), answer);
    far = std::move(other);
    return true;
  });
  EXPECT_FALSE(answer->is_none()) << "nobody has waited yet";
  std::string got;
  EXPECT_FALSE(base::Await(loop_, ReadTwice(watched.get(), &got)).ok());
  EXPECT_EQ(answer->kind, Kind::kSilence);
  EXPECT_TRUE(answer->is_none());
  EXPECT_EQ(answer->text(), "said nothing");
  loop_.Run([&] {
    watched.reset();
    far.reset();
    return true;
  });
}

}  // namespace
}  // namespace noded::dist
