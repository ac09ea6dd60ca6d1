#include "tests/testlib/epmd_entry.h"

#include <chrono>
#include <future>
#include <utility>

#include <gtest/gtest.h>

#include "base/task.h"

namespace noded::testlib {

EpmdEntry::EpmdEntry(uint16_t epmd_port, const std::string& name, uint16_t port) {
  dist::EpmdClient::Options where;
  where.port = epmd_port;
  dist::EpmdClient client(loop_, where);
  dist::EpmdNode node;
  node.name = name;
  node.port = port;
  using Result = absl::StatusOr<std::unique_ptr<dist::EpmdRegistration>>;
  std::promise<Result> promise;
  auto registered = promise.get_future();
  base::Spawn(
      loop_, "epmd",
      client.Register(node, dist::AddressFamily::kV4, loop_.Now() + std::chrono::seconds(30)),
      [&promise](Result result) { promise.set_value(std::move(result)); });
  Result result = registered.get();
  EXPECT_TRUE(result.ok()) << result.status();
  if (result.ok()) registration_ = *std::move(result);
}

EpmdEntry::~EpmdEntry() {
  loop_.Run([this] {
    registration_.reset();
    return true;
  });
}

}  // namespace noded::testlib
