// SPDX-License-Identifier: Apache-2.0
#include "actors/retry_elsewhere.hpp"

#include "actors/caf_compat.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

/// A notice is with all nodes within a second, over a link or the database.
constexpr std::chrono::milliseconds others_patience{5'000};
constexpr std::chrono::milliseconds letter_look_interval{50};
constexpr std::chrono::milliseconds letter_look_timeout{10'000};

/// A letter that others may be about to retry.
struct asked_letter {
  actor_context ctx;
  uuid id;
  error refusal;
  std::function<void(expected<void>)> then;
  timestamp until{};
};

using asked_letter_ptr = std::shared_ptr<const asked_letter>;

void look_for_letter_later(dead_letters_actor::pointer self,
                           const asked_letter_ptr& x);

void letter_still_there(dead_letters_actor::pointer self,
                        const asked_letter_ptr& x) {
  if (x->ctx.time->now() < x->until)
    look_for_letter_later(self, x);
  else
    x->then(fail(x->refusal));
}

void look_for_letter(dead_letters_actor::pointer self,
                     const asked_letter_ptr& x) {
  const auto reader = x->ctx.peers->reader.get();
  if (!reader) {
    letter_still_there(self, x);
    return;
  }
  dead_letter_query q;
  q.id = x->id;
  q.limit = 1;
  q.bodies = false;
  ask(self, reader, letter_look_timeout, list_atom_v, q)
      .then(
          [self, x](const std::vector<dead_letter>& found) {
            if (found.empty())
              x->then({});
            else
              letter_still_there(self, x);
          },
          [self, x](const caf::error&) { letter_still_there(self, x); });
}

void look_for_letter_later(dead_letters_actor::pointer self,
                           const asked_letter_ptr& x) {
  run_after(self, letter_look_interval,
            [self, x] { look_for_letter(self, x); });
}

} // namespace

void retry_elsewhere(dead_letters_actor::pointer self, const actor_context& ctx,
                     const uuid& letter, const error& refusal,
                     std::function<void(expected<void>)> then) {
  look_for_letter_later(self, std::make_shared<const asked_letter>(asked_letter{
                                  ctx, letter, refusal, std::move(then),
                                  ctx.time->now() + others_patience}));
  ctx.control->announce({control_kind::dead_letters, to_string(letter)});
}

std::shared_ptr<void> retry_for_others(const actor_context& ctx) {
  return ctx.control->subscribe(
      control_kind::dead_letters, [peers = ctx.peers](const control_event& e) {
        const auto id = uuid::parse(e.what);
        if (auto keeper = peers->dead_letters.get(); id && keeper)
          tell_anon(keeper, put_atom_v, *id);
      });
}

} // namespace eventweft
