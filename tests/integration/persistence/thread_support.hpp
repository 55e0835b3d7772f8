// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/integration/persistence/store_fixture.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace eventweft::testing {

inline correlation_key linking(std::string key, bool from_text = false) {
  return {.key = std::move(key),
          .type = {correlation_noun::mention, correlation_noun::pr},
          .confidence = 1,
          .rule = "test",
          .field = "text",
          .matched = "what was there",
          .from_text = from_text};
}

inline correlation_key being(std::string key) {
  return {.key = std::move(key), .confidence = 1, .rule = "test"};
}

inline correlation_key teaching(std::string name, std::string value = {}) {
  return {.key = std::move(name),
          .type = {correlation_noun::none, correlation_noun::none},
          .matched = std::move(value)};
}

inline correlation_key waiting(std::string key, std::string needs) {
  auto k = linking(std::move(key), true);
  k.confidence = 0.5F;
  k.needs = std::move(needs);
  return k;
}

inline event keyed_event(int n, std::vector<correlation_key> keys) {
  auto e = numbered_event(n);
  e.keys = std::move(keys);
  return e;
}

/// What a store's threads are, on a store of each engine.
class thread_contract : public store_contract {
 protected:
  append_results join(std::vector<event> events) {
    std::vector<event_ptr> batch;
    for (auto& e : events)
      batch.emplace_back(std::move(e));
    return must(session_->append_and_join(batch));
  }

  std::optional<uuid> thread_of(int n) const {
    return (*must(session_->find(numbered_event(n).id)))->correlation_id;
  }

  std::vector<event_ptr> log() const {
    return must(session_->read_after(0, 1'000'000, SIZE_MAX)).events;
  }

  /// The threads as sets of the platform's ids, whatever their own ids are.
  std::set<std::set<std::string>> partition() const {
    std::map<uuid, std::set<std::string>> threads;
    for (const auto& e : log())
      if (e->correlation_id && e->platform != "eventweft")
        threads[*e->correlation_id].insert(e->platform + e->event_id);
    std::set<std::set<std::string>> out;
    for (auto& [id, names] : threads)
      out.insert(std::move(names));
    return out;
  }

  std::unique_ptr<thread_store> threads() const {
    return store_->open_threads();
  }
};

} // namespace eventweft::testing
