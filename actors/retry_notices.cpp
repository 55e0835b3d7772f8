// SPDX-License-Identifier: Apache-2.0
#include "actors/retry_notices.hpp"

#include "actors/caf_compat.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "codec/subscription_rows.hpp"

#include <chrono>
#include <cmath>
#include <mutex>
#include <utility>

namespace eventweft {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view progress_notice = "retry ";
constexpr std::string_view stop_notice = "stop ";
constexpr auto between_notices = 1s;
/// A letter may take that long to be handed back.
constexpr auto longest_silence = 90s;
/// A notice must fit into a bell.
constexpr size_t longest_error = 500;

std::string progress_text(const std::string& from, const dead_letter_retry& r) {
  std::string out{progress_notice};
  out += R"({"running":)";
  out += r.running ? "true" : "false";
  codec::append_name(out, "stopped");
  out += r.stopped ? "true" : "false";
  codec::append_member(out, "from", from);
  codec::append_member(out, "started", to_rfc3339(r.started));
  codec::append_member(out, "origin", r.what.origin);
  codec::append_name(out, "platforms");
  out += codec::text_list_json(r.what.platforms);
  codec::append_name(out, "event_types");
  out += codec::text_list_json(r.what.event_types);
  codec::append_member(out, "rate_milli",
                       static_cast<uint64_t>(std::ceil(r.rate * 1'000)));
  codec::append_member(out, "retried", r.retried);
  codec::append_member(out, "failed", r.failed);
  codec::append_member(out, "last_error",
                       codec::utf8_prefix(r.last_error, longest_error));
  return out + '}';
}

/// Empty if there is none: they are only shown.
std::vector<std::string>
texts_of(simdjson::simdjson_result<simdjson::dom::element> list) {
  if (list.error())
    return {};
  return codec::parse_text_list(simdjson::minify(list.value_unsafe()))
      .value_or(std::vector<std::string>{});
}

struct progress_told {
  std::string from;
  dead_letter_retry retry;
};

std::optional<progress_told> read_progress(std::string_view json) {
  codec::payload_reader reader;
  const auto root = reader.parse(json);
  if (!root)
    return std::nullopt;
  progress_told out;
  auto& r = out.retry;
  out.from = codec::string_at(*root, "/from");
  uint64_t rate_milli = 0;
  const auto started = parse_rfc3339(codec::string_at(*root, "/started"));
  if (out.from.empty() || !started ||
      (*root)["running"].get(r.running) != simdjson::SUCCESS ||
      (*root)["retried"].get(r.retried) != simdjson::SUCCESS ||
      (*root)["failed"].get(r.failed) != simdjson::SUCCESS ||
      (*root)["rate_milli"].get(rate_milli) != simdjson::SUCCESS)
    return std::nullopt;
  // Older nodes do not say it.
  if ((*root)["stopped"].get(r.stopped) != simdjson::SUCCESS)
    r.stopped = false;
  r.rate = static_cast<double>(rate_milli) / 1'000;
  r.started = *started;
  r.what.origin = codec::string_at(*root, "/origin");
  r.what.platforms = texts_of((*root)["platforms"]);
  r.what.event_types = texts_of((*root)["event_types"]);
  r.last_error = codec::string_at(*root, "/last_error");
  return out;
}

std::chrono::microseconds patience_with(const dead_letter_retry& r) {
  std::chrono::duration<double> out{longest_silence};
  if (r.rate > 0)
    out += std::chrono::duration<double>{2 / r.rate};
  return std::chrono::duration_cast<std::chrono::microseconds>(out);
}

} // namespace

struct retry_notices::heard {
  mutable std::mutex mutex;
  std::optional<progress_told> last;
  timestamp at{};
};

retry_notices::retry_notices(const actor_context& ctx)
    : ctx_(ctx),
      me_(to_string(uuid::v7(ctx.time->now(), *ctx.random))),
      heard_(std::make_shared<heard>()) {
  guard_ = ctx_.control->subscribe(
      control_kind::dead_letters,
      [me = me_, peers = ctx_.peers, time = ctx_.time,
       all = heard_](const control_event& e) {
        const std::string_view text = e.what;
        if (text.starts_with(stop_notice)) {
          if (auto keeper = peers->dead_letters.get();
              keeper && text.substr(stop_notice.size()) == me)
            tell_anon(keeper, stop_atom_v);
          return;
        }
        if (!text.starts_with(progress_notice))
          return;
        auto told = read_progress(text.substr(progress_notice.size()));
        if (!told || told->from == me)
          return;
        const std::lock_guard lock{all->mutex};
        // Notices come more than once, and by two ways.
        if (all->last && told->retry.started < all->last->retry.started)
          return;
        if (all->last && told->from == all->last->from &&
            told->retry.started == all->last->retry.started &&
            ((!all->last->retry.running && told->retry.running) ||
             told->retry.retried + told->retry.failed <
                 all->last->retry.retried + all->last->retry.failed))
          return;
        all->last = std::move(told);
        all->at = time->now();
      });
}

void retry_notices::tell(const dead_letter_retry& mine) {
  const auto now = ctx_.time->now();
  if (mine.running && told_running_ && now - told_at_ < between_notices)
    return;
  told_running_ = mine.running;
  told_at_ = now;
  ctx_.control->announce(
      {control_kind::dead_letters, progress_text(me_, mine)});
}

std::optional<dead_letter_retry> retry_notices::theirs() const {
  const std::lock_guard lock{heard_->mutex};
  if (!heard_->last)
    return std::nullopt;
  auto out = heard_->last->retry;
  if (out.running && ctx_.time->now() - heard_->at > patience_with(out)) {
    out.running = false;
    out.stopped = true;
    out.last_error = "nothing is heard any more of the node that retried them";
  }
  return out;
}

void retry_notices::stop_theirs() {
  std::string whose;
  {
    const std::lock_guard lock{heard_->mutex};
    if (heard_->last)
      whose = heard_->last->from;
  }
  if (!whose.empty())
    ctx_.control->announce(
        {control_kind::dead_letters, std::string{stop_notice} + whose});
}

} // namespace eventweft
