#include "node/pending_handshakes.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/memory_stream.h"
#include "tests/testlib/wait.h"

namespace noded::node {
namespace {

using base::Limits;
using base::Slice;
using base::Task;

// A memory stream whose peer has an address of the test's choice.
class AddressedStream : public base::Stream {
 public:
  AddressedStream(std::unique_ptr<base::Stream> inner, std::string address)
      : inner_(std::move(inner)) {
    peer_.address = std::move(address);
    peer_.port = 4000;
  }
  Task<absl::StatusOr<Slice>> Read() override { return inner_->Read(); }
  Task<absl::Status> Write(base::Buffer bytes) override { return inner_->Write(std::move(bytes)); }
  Task<absl::Status> Close() override { return inner_->Close(); }
  void Abort() override { inner_->Abort(); }
  const base::PeerIdentity& peer() const override { return peer_; }
  const base::PeerIdentity& local() const override { return inner_->local(); }
  base::Loop& loop() override { return inner_->loop(); }

 private:
  std::unique_ptr<base::Stream> inner_;
  base::PeerIdentity peer_;
};

// One accepted connection: the peer's end, ours as the table gave it back, and what reading from it
// ended with.
struct Connection {
  std::unique_ptr<base::MemoryStream> theirs;
  std::unique_ptr<base::Stream> ours;
  PendingHandshakes::Ticket ticket = 0;
  std::shared_future<absl::Status> ended;

  bool IsCut() const {
    return ended.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
};

Task<absl::Status> ReadToTheEnd(base::Stream* stream, std::atomic<int>* reads) {
  while (true) {
    absl::StatusOr<Slice> bytes = co_await stream->Read();
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty()) co_return absl::OkStatus();
    ++*reads;
  }
}

class PendingHandshakesTest : public testing::Test {
 protected:
  // The table's loop is the streams' loop here, but for the test that has two.
  void Make(size_t in_all, size_t for_an_address) {
    Limits limits;
    limits.max_pending_handshakes = in_all;
    limits.max_pending_handshakes_per_address = for_an_address;
    pending_ = std::make_unique<PendingHandshakes>(limits);
  }

  size_t Accept(const std::string& address) {
    Connection made;
    auto [ours, theirs] = base::MakeMemoryStreams(loop_);
    made.theirs = std::move(theirs);
    auto accepted = std::make_unique<AddressedStream>(std::move(ours), address);
    loop_.Run([&] {
      auto [stream, ticket] = pending_->Add(std::move(accepted));
      made.ours = std::move(stream);
      made.ticket = ticket;
      return true;
    });
    auto promise = std::make_shared<std::promise<absl::Status>>();
    made.ended = promise->get_future();
    base::Spawn(loop_, "reader", ReadToTheEnd(made.ours.get(), &reads_),
                [promise](absl::Status status) { promise->set_value(std::move(status)); });
    connections_.push_back(std::move(made));
    return connections_.size() - 1;
  }

  // The peer says something, and we have read it.
  void Speak(size_t number) {
    const int before = reads_;
    base::Buffer word;
    word.Append(std::string_view("N"));
    base::Spawn(loop_, "writer", connections_[number].theirs->Write(std::move(word)),
                [](const absl::Status& written) { EXPECT_TRUE(written.ok()) << written; });
    ASSERT_TRUE(testlib::Eventually([&] { return reads_ > before; }));
  }

  // Waits until `number` is cut, and expects that the others of the list are not.
  void ExpectCut(size_t number, const std::vector<size_t>& alive) {
    ASSERT_EQ(connections_[number].ended.wait_for(std::chrono::seconds(30)),
              std::future_status::ready);
    loop_.Run([] { return true; });  // what else was cut has been by now
    for (size_t other : alive) EXPECT_FALSE(connections_[other].IsCut()) << other;
  }

  void Remove(size_t number) {
    loop_.Run([&] {
      pending_->Remove(connections_[number].ticket);
      return true;
    });
  }

  void TearDown() override {
    loop_.Run([&] {
      pending_->AbortAll();
      return true;
    });
    for (Connection& connection : connections_) connection.ended.wait();
    loop_.Run([&] {
      connections_.clear();
      return true;
    });
  }

  std::atomic<int> reads_ = 0;
  base::Loop loop_;
  std::unique_ptr<PendingHandshakes> pending_;
  std::vector<Connection> connections_;
};

TEST_F(PendingHandshakesTest, TheOldestSilentOneOfTheAddressMakesRoom) {
  Make(/*in_all=*/10, /*for_an_address=*/3);
  for (int i = 0; i < 3; ++i) Accept("10.0.0.1");
  Speak(0);
  EXPECT_EQ(pending_->evicted(), 0u);
  Accept("10.0.0.1");
  ExpectCut(1, {0, 2, 3});
  EXPECT_EQ(connections_[1].ended.get().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(pending_->size(), 3u);
  EXPECT_EQ(pending_->evicted(), 1u);
}

TEST_F(PendingHandshakesTest, WhereAllHaveSpokenTheOldestMakesRoom) {
  Make(10, 2);
  Accept("10.0.0.1");
  Accept("10.0.0.1");
  Speak(1);
  Speak(0);
  Accept("10.0.0.1");
  ExpectCut(0, {1, 2});
}

TEST_F(PendingHandshakesTest, ACrowdedAddressCostsAnotherAddressNothing) {
  Make(10, 2);
  const size_t other = Accept("10.0.0.2");
  for (int i = 0; i < 5; ++i) Accept("10.0.0.1");
  ExpectCut(1, {other});
  ExpectCut(2, {other});
  ExpectCut(3, {other, 4, 5});
  EXPECT_EQ(pending_->size(), 3u);
}

TEST_F(PendingHandshakesTest, TheBoundInAllHoldsOverManyAddresses) {
  Make(3, 2);
  for (int i = 0; i < 3; ++i) Accept("10.0.1." + std::to_string(i));
  Speak(0);
  Accept("10.0.1.9");
  ExpectCut(1, {0, 2, 3});
  EXPECT_EQ(pending_->size(), 3u);
}

TEST_F(PendingHandshakesTest, WhoIsThroughCountsNoMoreAndIsLeftAlone) {
  Make(10, 2);
  const size_t through = Accept("10.0.0.1");
  Remove(through);
  EXPECT_EQ(pending_->size(), 0u);
  Accept("10.0.0.1");
  Accept("10.0.0.1");
  EXPECT_EQ(pending_->evicted(), 0u);
  Accept("10.0.0.1");
  ExpectCut(1, {through, 2, 3});
  loop_.Run([&] {
    EXPECT_FALSE(pending_->Remove(connections_[1].ticket)) << "it was evicted";
    EXPECT_TRUE(pending_->Remove(connections_[2].ticket));
    for (size_t number : {through, size_t{2}}) connections_[number].ours->Abort();
    return true;
  });
}

TEST_F(PendingHandshakesTest, ClosingCutsAllOfThem) {
  Make(10, 5);
  Accept("10.0.0.1");
  Accept("10.0.0.2");
  Speak(1);
  loop_.Run([&] {
    pending_->AbortAll();
    return true;
  });
  ExpectCut(0, {});
  ExpectCut(1, {});
  EXPECT_EQ(pending_->size(), 0u);
}

TEST_F(PendingHandshakesTest, AStreamThatIsGoneBeforeItsEvictionHarmsNobody) {
  Make(10, 1);
  const size_t first = Accept("10.0.0.1");
  loop_.Run([&] {
    connections_[first].ours->Abort();
    return true;
  });
  connections_[first].ended.wait();
  loop_.Run([&] {
    connections_[first].ours.reset();
    return true;
  });
  Accept("10.0.0.1");  // evicts what is no more
  EXPECT_EQ(pending_->size(), 1u);
  EXPECT_EQ(pending_->evicted(), 1u);
}

}  // namespace
}  // namespace noded::node
