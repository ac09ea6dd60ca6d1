// A task on a loop, whose result a test waits for on its own thread.
//
//   auto accepted = Start(loop, Accept(&loop, &listener));      // ... do the other side meanwhile
//   StreamResult stream = accepted.get();
#pragma once

#include <future>
#include <memory>
#include <utility>

#include "base/loop.h"
#include "base/task.h"

namespace noded::testlib {

template <class T>
std::future<T> Start(base::Loop& loop, base::Task<T> task) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> future = promise->get_future();
  base::Spawn(loop, "test", std::move(task),
              [promise](T result) { promise->set_value(std::move(result)); });
  return future;
}

}  // namespace noded::testlib
