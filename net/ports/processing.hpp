// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/errors.hpp"
#include "messages/processing.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace eventweft::net {

/// Handlers and what was given up on, for the HTTP API. Every call is
/// thread-safe and returns at once; every reply is called exactly once.
class processing_port {
 public:
  template <class T>
  using reply = std::function<void(expected<T>)>;

  virtual ~processing_port() = default;

  /// Those that this node knows, by name.
  virtual void
  processors(reply<std::vector<processing::processor_state>> r) = 0;
  /// Gives up what one that is not there any more has left; how many events.
  virtual void drop_processor(std::string name, reply<uint64_t> r) = 0;

  virtual void dead_letters(dead_letter_query q,
                            reply<std::vector<dead_letter>> r) = 0;
  /// Hands it back to where it came from and forgets it.
  virtual void retry_dead_letter(uuid id, reply<bool> r) = 0;
  /// False if there is none.
  virtual void drop_dead_letter(uuid id, reply<bool> r) = 0;
  virtual void retry_dead_letters(dead_letter_query q, double rate,
                                  reply<dead_letter_retry> r) = 0;
  virtual void retry_progress(reply<dead_letter_retry> r) = 0;
  virtual void stop_retry(reply<dead_letter_retry> r) = 0;
  virtual void drop_dead_letters(dead_letter_query q, reply<uint64_t> r) = 0;
};

} // namespace eventweft::net
