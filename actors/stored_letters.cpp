// SPDX-License-Identifier: Apache-2.0
#include "actors/stored_letters.hpp"

#include "actors/caf_compat.hpp"

#include <memory>
#include <utility>

namespace eventweft {

namespace {

constexpr size_t letters_a_page = 100;

} // namespace

stored_letters::stored_letters(dead_letters_actor::pointer self,
                               const actor_context& ctx,
                               std::chrono::milliseconds timeout)
    : self_(self), ctx_(ctx), timeout_(timeout) {}

void stored_letters::list(
    dead_letter_query q,
    std::function<void(expected<std::vector<dead_letter>>)> then) {
  q.limit = letters_a_page;
  q.bodies = false;
  ask_for(q, std::move(then));
}

void stored_letters::find(const uuid& id,
                          std::function<void(expected<dead_letter>)> then) {
  dead_letter_query q;
  q.id = id;
  q.limit = 1;
  ask_for(q, [then](expected<std::vector<dead_letter>> found) {
    if (!found)
      then(fail(found.error()));
    else if (found->empty())
      then(fail(ec::not_found, "there is no such dead letter"));
    else
      then(std::move(found->front()));
  });
}

void stored_letters::ask_for(
    const dead_letter_query& q,
    std::function<void(expected<std::vector<dead_letter>>)> then) {
  auto reader = ctx_.peers->reader.get();
  if (!reader) {
    then(fail(ec::overloaded, "the store's readers restart"));
    return;
  }
  ask(self_, reader, timeout_, list_atom_v, q)
      .then([then](std::vector<dead_letter>& x) { then(std::move(x)); },
            [then](const caf::error& e) { then(fail(from_caf(e))); });
}

void stored_letters::drop(const uuid& id,
                          std::function<void(expected<void>)> then) {
  auto reader = ctx_.peers->reader.get();
  if (!reader) {
    then(fail(ec::overloaded, "the store's readers restart"));
    return;
  }
  ask(self_, reader, timeout_, drop_atom_v, id)
      .then([then](bool) { then({}); },
            [then](const caf::error& e) { then(fail(from_caf(e))); });
}

void stored_letters::drop_all(const dead_letter_query& q,
                              std::function<void(expected<uint64_t>)> then) {
  drop_page(q, 0, std::move(then));
}

void stored_letters::drop_page(const dead_letter_query& page, uint64_t dropped,
                               std::function<void(expected<uint64_t>)> then) {
  list(page,
       [this, page, dropped, then](expected<std::vector<dead_letter>> found) {
         if (!found) {
           then(fail(found.error()));
           return;
         }
         if (found->empty()) {
           then(dropped);
           return;
         }
         auto next = page;
         next.before = found->back().id;
         auto missing = std::make_shared<size_t>(found->size());
         auto count = std::make_shared<uint64_t>(dropped);
         for (const auto& letter : *found)
           drop(letter.id,
                [this, next, missing, count, then](const expected<void>& r) {
                  if (*missing == 0)
                    return;
                  if (!r) {
                    *missing = 0;
                    then(fail(r.error()));
                    return;
                  }
                  ++*count;
                  if (--*missing == 0)
                    drop_page(next, *count, then);
                });
       });
}

} // namespace eventweft
