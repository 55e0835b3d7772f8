// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/filter.hpp"
#include "messages/thread.hpp"
#include "net/ports/reply.hpp"

#include <optional>
#include <string>
#include <vector>

namespace eventweft::net {

/// Threads, as HTTP and streams ask for them. What is asked for (`which`) is
/// the id of a thread, old or present, the id of an event, or a correlation
/// key in any of its spellings. Thread-safe; every call returns at once, every
/// reply is called once, on any thread.
class threads_port {
 public:
  virtual ~threads_port() = default;

  /// The thread with its events after `after`, at most `limit`; nothing if
  /// there is none.
  virtual void read(std::string which, seq_t after, size_t limit,
                    reply_to<std::optional<thread_story>> reply) = 0;

  /// Newest first, one more than `q.limit` if there are more.
  virtual void recent(thread_query q,
                      reply_to<std::vector<thread_summary>> reply) = 0;

  /// Each one's thread, in order; nothing where there is none. Whoever sees
  /// only what `visible` lets through, if that is not empty, gets nil, which is
  /// no thread's id, for what nothing that they see leads to.
  virtual void resolve(std::vector<std::string> which,
                       eventweft::filter visible,
                       reply_to<std::vector<std::optional<uuid>>> reply) = 0;
};

} // namespace eventweft::net
