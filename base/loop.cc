#include "base/loop.h"

#include <algorithm>

namespace noded::base {

Loop::Loop() {
  thread_ = std::thread([this] {
    thread_id_.store(std::this_thread::get_id());
    io_.run();
  });
}

Loop::~Loop() { Stop(); }

void Loop::Stop() {
  work_.reset();
  io_.stop();
  if (thread_.joinable()) thread_.join();
  is_stopped_ = true;
}

LoopGroup::LoopGroup(size_t count) {
  if (count == 0) count = std::max(1u, std::thread::hardware_concurrency());
  for (size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>());
}

LoopGroup::~LoopGroup() {
  Stop();
  for (auto& loop : loops_) loop->io_.DropPending();
}

void LoopGroup::Stop() {
  for (auto& loop : loops_) loop->Stop();
}

}  // namespace noded::base
