// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/caf_compat.hpp"
#include "messages/protocols.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::testing {

/// What a store's worker was asked for and has not answered yet.
struct held_appends {
  std::vector<event_batch> batches;
  std::vector<caf::typed_response_promise<append_results>> promises;
  size_t answered = 0;
  seq_t seq = 0;
  /// Whether batches that need not be durable yet are not.
  bool late = false;
  std::vector<std::vector<log_mark>> syncs;
  std::vector<caf::typed_response_promise<void>> sync_promises;
  size_t synced = 0;
  /// The next answer to a sync, or to a batch, if it is not well.
  std::optional<error> sync_fails;
  std::optional<error> append_fails;
  /// What the next batch teaches.
  std::vector<std::pair<std::string, std::string>> facts;
  /// Which limits it reaches.
  std::vector<hot_key> hot_keys;
  std::vector<std::string> huge_keys;
};

/// A worker that keeps each batch until told, by `head_atom`, to answer the
/// oldest, and each sync until told so by `find_atom` with any id: a promise
/// must be kept by the actor that gave it.
inline store_worker_actor spawn_held_worker(caf::actor_system& sys,
                                            std::shared_ptr<held_appends> h) {
  auto fun = [h](store_worker_actor::pointer self)
      -> store_worker_actor::behavior_type {
    auto refuse = [] { return to_caf(ec::internal, "not asked for"); };
    return {
        [h, self](append_atom,
                  const event_batch& b) -> caf::result<append_results> {
          h->batches.push_back(b);
          h->promises.push_back(self->make_response_promise<append_results>());
          return h->promises.back();
        },
        [h, self](sync_atom,
                  const std::vector<log_mark>& marks) -> caf::result<void> {
          if (marks.empty())
            return caf::unit;
          h->syncs.push_back(marks);
          h->sync_promises.push_back(self->make_response_promise<void>());
          return h->sync_promises.back();
        },
        [h](head_atom) -> caf::result<seq_t> {
          // A writer that has nothing to do looks whether the store is there.
          if (h->answered == h->batches.size())
            return h->seq;
          if (auto why = std::exchange(h->append_fails, std::nullopt)) {
            h->promises[h->answered++].deliver(to_caf(*why));
            return h->seq;
          }
          append_results out;
          const auto& batch = h->batches[h->answered];
          for (const auto& ev : batch.events)
            out.items.push_back({{ev->id, ++h->seq, false, false}, {}});
          if (h->late && batch.sync_later)
            out.unsynced.push_back({h->seq, batch.events.back()->id, {}});
          out.threads.facts = std::exchange(h->facts, {});
          out.threads.hot_keys = std::exchange(h->hot_keys, {});
          out.threads.huge_keys = std::exchange(h->huge_keys, {});
          h->promises[h->answered++].deliver(std::move(out));
          return h->seq;
        },
        [refuse](page_atom, const page_request&) -> caf::result<log_range> {
          return refuse();
        },
        [refuse](query_atom, const event_query&) -> caf::result<event_page> {
          return refuse();
        },
        [h](find_atom, const uuid&) -> caf::result<event_ptr> {
          auto& promise = h->sync_promises[h->synced++];
          if (auto why = std::exchange(h->sync_fails, std::nullopt))
            promise.deliver(to_caf(*why));
          else
            promise.deliver();
          return event_ptr{};
        },
        [refuse](seek_atom, timestamp) -> caf::result<seq_t> {
          return refuse();
        },
        [refuse](find_atom, const std::vector<uuid>&)
            -> caf::result<std::vector<uuid>> { return refuse(); },
        [refuse](find_atom, const places_request&) -> caf::result<places_page> {
          return refuse();
        },
        [refuse](dead_letter_atom, const dead_letter&) -> caf::result<void> {
          return refuse();
        },
        [refuse](list_atom, const dead_letter_query&)
            -> caf::result<std::vector<dead_letter>> { return refuse(); },
        [refuse](drop_atom, const uuid&) -> caf::result<bool> {
          return refuse();
        },
    };
  };
  return sys.spawn(fun);
}

} // namespace eventweft::testing
