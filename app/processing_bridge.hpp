// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "net/ports/processing.hpp"

#include <chrono>

namespace eventweft {

/// The HTTP API's line to the engine and to the keeper of dead letters.
class processing_bridge final : public net::processing_port {
 public:
  processing_bridge(actor_context ctx, std::chrono::milliseconds timeout)
      : ctx_(std::move(ctx)), timeout_(timeout) {}

  void processors(reply<std::vector<processing::processor_state>> r) override;
  void drop_processor(std::string name, reply<uint64_t> r) override;
  void dead_letters(dead_letter_query q,
                    reply<std::vector<dead_letter>> r) override;
  void retry_dead_letter(uuid id, reply<bool> r) override;
  void drop_dead_letter(uuid id, reply<bool> r) override;
  void retry_dead_letters(dead_letter_query q, double rate,
                          reply<dead_letter_retry> r) override;
  void retry_progress(reply<dead_letter_retry> r) override;
  void stop_retry(reply<dead_letter_retry> r) override;
  void drop_dead_letters(dead_letter_query q, reply<uint64_t> r) override;

 private:
  actor_context ctx_;
  std::chrono::milliseconds timeout_;
};

} // namespace eventweft
