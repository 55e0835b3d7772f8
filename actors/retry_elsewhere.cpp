// SPDX-License-Identifier: Apache-2.0
#include "actors/retry_elsewhere.hpp"

#include "actors/caf_compat.hpp"
#include "actors/stored_letters.hpp"

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
  asked_letter(dead_letters_actor::pointer self, const actor_context& context,
               const uuid& letter, error why,
               std::function<void(expected<void>)> ended)
      : ctx(context),
        letters(self, ctx, letter_look_timeout),
        id(letter),
        refusal(std::move(why)),
        then(std::move(ended)),
        until(ctx.time->now() + others_patience) {}
  asked_letter(const asked_letter&) = delete;
  asked_letter& operator=(const asked_letter&) = delete;

  const actor_context ctx;
  stored_letters letters;
  const uuid id;
  const error refusal;
  const std::function<void(expected<void>)> then;
  const timestamp until;
};

using asked_letter_ptr = std::shared_ptr<asked_letter>;

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
  dead_letter_query q;
  q.id = x->id;
  x->letters.list(q, [self, x](const auto& found) {
    if (found && found->empty())
      x->then({});
    else
      letter_still_there(self, x);
  });
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
  look_for_letter_later(self, std::make_shared<asked_letter>(
                                  self, ctx, letter, refusal, std::move(then)));
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
