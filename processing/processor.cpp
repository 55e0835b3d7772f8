// SPDX-License-Identifier: Apache-2.0
#include "processing/processor.hpp"

#include "codec/json_text.hpp"

#include <array>
#include <utility>

namespace eventweft::processing {

namespace {

constexpr std::array<std::string_view, 3> orderings{"none", "source", "thread"};

constexpr size_t longest_name = 100;
constexpr uint32_t most_retries = 1'000;
constexpr uint32_t most_at_once = 100'000;

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= longest_name &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789_.-") ==
             std::string_view::npos;
}

bool is_empty(const processor& p) noexcept {
  return std::visit([](const auto& h) { return !h; }, p.handler);
}

} // namespace

std::string_view to_string(ordering o) noexcept {
  return orderings[static_cast<size_t>(o)];
}

std::optional<ordering> parse_ordering(std::string_view text) noexcept {
  for (size_t i = 0; i < orderings.size(); ++i)
    if (orderings[i] == text)
      return static_cast<ordering>(i);
  return std::nullopt;
}

void shorten_error(outcome& o) {
  const auto kept = codec::utf8_prefix(o.error, longest_error).size();
  if (kept == o.error.size())
    return;
  // What was let go of is not to be carried along.
  o.error = std::string{o.error, 0, kept};
}

processor let_go_of(std::string name, seq_t head) {
  processor out;
  out.name = std::move(name);
  // No platform is called so.
  out.filter.platforms = {"-"};
  out.start = start_point::after(head);
  out.handler = async_handler{[](const event_ptr&, const attempt_context&,
                                 const completion& ended) {
    ended(outcome::give_up("the processor is not there any more, and what it "
                           "had left was let go of"));
  }};
  out.may_end_process = false;
  out.kind = gone_kind;
  return out;
}

error name_taken(const processor& there) {
  return {ec::conflict,
          there.kind == gone_kind
              ? "the processor " + there.name +
                    " of before is being let go of: try again once its events "
                    "are dead letters"
              : "there is a processor " + there.name + " already"};
}

expected<void> check(const processor& p) {
  const auto bad = [&](std::string_view what) {
    return fail(ec::unprocessable,
                "processor " + p.name + ": " + std::string{what});
  };
  if (!is_name(p.name))
    return fail(ec::unprocessable,
                "a processor's name is 1 to 100 of A-Z, a-z, 0-9, _, . and -");
  if (is_empty(p))
    return bad("it has no handler");
  if (p.max_retries > most_retries)
    return bad("max_retries is above 1000");
  if (p.retry_delay.count() < 0 || p.max_retry_delay < p.retry_delay)
    return bad("retry_delay is negative or above max_retry_delay");
  if (!(p.jitter >= 0 && p.jitter <= 1))
    return bad("jitter is not within 0 … 1");
  if (p.timeout.count() <= 0)
    return bad("timeout must be above 0");
  if (p.concurrency > most_at_once)
    return bad("concurrency is above 100000");
  return {};
}

} // namespace eventweft::processing
