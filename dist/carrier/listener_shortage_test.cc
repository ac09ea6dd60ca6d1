// The listener without a descriptor left. A test of its own, because nothing else of a process
// works then; UndefinedBehaviorSanitizer does not either (it opens a pipe to look at memory).
#include <sys/resource.h>

#include <future>

#include "asio/ip/tcp.hpp"
#include <gtest/gtest.h>

#include "base/status.h"
#include "dist/carrier/listener.h"

namespace noded::dist {
namespace {

using asio::ip::tcp;
using base::Loop;
using base::ReasonOf;
using StreamResult = absl::StatusOr<std::unique_ptr<base::Stream>>;

std::future<StreamResult> StartAccept(Loop& loop, Listener* listener) {
  auto promise = std::make_shared<std::promise<StreamResult>>();
  std::future<StreamResult> future = promise->get_future();
  base::Spawn(loop, "test", listener->Accept(loop),
              [promise](StreamResult result) { promise->set_value(std::move(result)); });
  return future;
}

class ListenerShortageTest : public testing::Test {
 protected:
  // A connection waits in the listener's queue, and this process may open nothing more.
  ListenerShortageTest() {
    listener_ = *Listener::Listen(loop_, false, {});
    client_.open(tcp::v4());
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit none = before_;
    none.rlim_cur = 0;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    client_.connect(tcp::endpoint(asio::ip::address_v4::loopback(), listener_->port()));
    accepted_ = StartAccept(loop_, listener_.get());
    loop_.Run([] {});  // now the first try is over
  }
  ~ListenerShortageTest() override { EndShortage(); }

  void EndShortage() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }

  Loop loop_;
  std::unique_ptr<Listener> listener_;
  asio::io_context io_;
  tcp::socket client_{io_};
  rlimit before_{};
  std::future<StreamResult> accepted_;
};

TEST_F(ListenerShortageTest, AcceptsWhenThereAreDescriptorsAgain) {
  EXPECT_EQ(accepted_.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  EndShortage();
  StreamResult stream = accepted_.get();
  EXPECT_TRUE(stream.ok()) << stream.status();
}

TEST_F(ListenerShortageTest, CloseEndsTheWait) {
  loop_.Run([this] { listener_->Close(); });
  EXPECT_EQ(ReasonOf(accepted_.get().status()), "closed");
}

}  // namespace
}  // namespace noded::dist
