// SPDX-License-Identifier: Apache-2.0
#include "net/api_processing.hpp"

#include "codec/dead_letter_json.hpp"
#include "codec/json_text.hpp"
#include "net/answers.hpp"
#include "net/ports/processing.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::net {

namespace {

using codec::append_member;

constexpr double lowest_rate = 0.001;
constexpr double highest_rate = 100'000;
/// Each may be as large as a webhook.
constexpr size_t most_bodies = 20;

void append_processor(std::string& out, const processing::processor_state& p) {
  out += '{';
  append_member(out, "name", p.name);
  append_member(out, "kind", p.kind);
  append_member(out, "state", p.state);
  append_member(out, "detail", p.detail);
  if (p.owner.empty())
    out += ",\"owner\":null";
  else
    append_member(out, "owner", p.owner);
  // Of another node's nothing is known: zeros would say that all is well.
  const bool known = p.state != "elsewhere";
  const auto figure = [&out, known](std::string_view name, uint64_t value) {
    if (known) {
      append_member(out, name, value);
      return;
    }
    codec::append_name(out, name);
    out += "null";
  };
  figure("ready", p.ready);
  figure("running", p.running);
  figure("waiting", p.waiting);
  figure("completed", p.completed);
  figure("retried", p.retried);
  figure("failed", p.failed);
  figure("timed_out", p.timed_out);
  figure("cursor", static_cast<uint64_t>(p.cursor));
  out += '}';
}

std::string with_commas(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& x : list)
    out += (out.empty() ? "" : ",") + x;
  return out;
}

std::string retry_json(const dead_letter_retry& r) {
  std::string out = "{\"running\":";
  out += r.running ? "true" : "false";
  out += ",\"stopped\":";
  out += r.stopped ? "true" : "false";
  if (r.started == timestamp{})
    out += ",\"started\":null";
  else
    append_member(out, "started", to_rfc3339(r.started));
  append_member(out, "origin", r.what.origin);
  append_member(out, "platform", with_commas(r.what.platforms));
  append_member(out, "event_type", with_commas(r.what.event_types));
  append_member(out, "retried", r.retried);
  append_member(out, "failed", r.failed);
  append_member(out, "last_error", r.last_error);
  return out + '}';
}

awaitable<response> list_processors(const api_call& call,
                                    processing_port& port) {
  using states = std::vector<processing::processor_state>;
  const auto found = co_await call.ask.call<states>(
      [&port](reply_to<states> r) { port.processors(std::move(r)); });
  if (!found)
    co_return problem_answer(found.error());
  const bool one = call.match.found->target == endpoint::get_processor;
  std::string out = one ? "" : "{\"processors\":[";
  for (const auto& p : *found) {
    if (one && p.name != call.match.argument)
      continue;
    if (!one && out.back() != '[')
      out += ',';
    append_processor(out, p);
  }
  if (one && out.empty())
    co_return problem_answer({ec::not_found, "no processor has this name"});
  co_return json_answer(200, one ? out : out + "]}");
}

awaitable<response> drop_processor(const api_call& call,
                                   processing_port& port) {
  const std::string name{call.match.argument};
  const auto events = co_await call.ask.call<uint64_t>(
      [&](reply_to<uint64_t> r) { port.drop_processor(name, std::move(r)); });
  if (!events)
    co_return problem_answer(events.error());
  std::string out = "{";
  append_member(out, "name", name);
  append_member(out, "events", *events);
  co_return json_answer(202, out + '}');
}

awaitable<response> list_letters(const api_call& call, processing_port& port,
                                 dead_letter_selection selected) {
  using letters = std::vector<dead_letter>;
  const auto limit = selected.query.limit;
  const bool bodies = selected.query.bodies;
  // One more than asked for tells whether there is a next page.
  ++selected.query.limit;
  auto found = co_await call.ask.call<letters>([&](reply_to<letters> r) {
    port.dead_letters(std::move(selected.query), std::move(r));
  });
  if (!found)
    co_return problem_answer(found.error());
  const bool more = cut_page(*found, limit);
  co_return json_answer(200, dead_letters_json(*found, more, bodies));
}

awaitable<response> get_letter(const api_call& call, processing_port& port,
                               uuid id) {
  using letters = std::vector<dead_letter>;
  dead_letter_query q;
  q.id = id;
  q.limit = 1;
  const auto found = co_await call.ask.call<letters>([&](reply_to<letters> r) {
    port.dead_letters(std::move(q), std::move(r));
  });
  if (!found)
    co_return problem_answer(found.error());
  if (found->empty())
    co_return problem_answer({ec::not_found, "no dead letter has this id"});
  std::string out;
  codec::append_dead_letter(out, found->front());
  co_return json_answer(200, std::move(out));
}

awaitable<response> retry_letter(const api_call& call, processing_port& port,
                                 uuid id) {
  const auto done = co_await call.ask.call<bool>(
      [&](reply_to<bool> r) { port.retry_dead_letter(id, std::move(r)); });
  if (!done)
    co_return problem_answer(done.error());
  co_return json_answer(200,
                        R"({"id":")" + to_string(id) + R"(","retried":true})");
}

awaitable<response> drop_letter(const api_call& call, processing_port& port,
                                uuid id) {
  const auto dropped = co_await call.ask.call<bool>(
      [&](reply_to<bool> r) { port.drop_dead_letter(id, std::move(r)); });
  if (!dropped)
    co_return problem_answer(dropped.error());
  if (!*dropped)
    co_return problem_answer({ec::not_found, "no dead letter has this id"});
  co_return text_answer(204, {}, {});
}

std::vector<std::string> dead_letter_query::*
list_member(std::string_view name) {
  return name == "platform"     ? &dead_letter_query::platforms
         : name == "event_type" ? &dead_letter_query::event_types
                                : nullptr;
}

response not_narrowed() {
  return problem_answer({ec::unprocessable,
                         "name what is meant (origin, platform, event_type, "
                         "event_id, since, until), or all=true"});
}

awaitable<response> drop_letters(const api_call& call, processing_port& port,
                                 dead_letter_selection selected) {
  if (!selected.narrowed && !selected.all)
    co_return not_narrowed();
  const auto dropped =
      co_await call.ask.call<uint64_t>([&](reply_to<uint64_t> r) {
        port.drop_dead_letters(std::move(selected.query), std::move(r));
      });
  if (!dropped)
    co_return problem_answer(dropped.error());
  co_return json_answer(200, "{\"dropped\":" + std::to_string(*dropped) + '}');
}

awaitable<response> retry_letters(const api_call& call, processing_port& port,
                                  dead_letter_selection selected) {
  if (!selected.narrowed && !selected.all)
    co_return not_narrowed();
  const auto begun = co_await call.ask.call<dead_letter_retry>(
      [&](reply_to<dead_letter_retry> r) {
        port.retry_dead_letters(std::move(selected.query), selected.rate,
                                std::move(r));
      });
  if (!begun)
    co_return problem_answer(begun.error());
  co_return json_answer(202, retry_json(*begun));
}

awaitable<response> tell_retry(const api_call& call, processing_port& port,
                               bool stop) {
  const auto now = co_await call.ask.call<dead_letter_retry>(
      [&](reply_to<dead_letter_retry> r) {
        if (stop)
          port.stop_retry(std::move(r));
        else
          port.retry_progress(std::move(r));
      });
  if (!now)
    co_return problem_answer(now.error());
  co_return json_answer(200, retry_json(*now));
}

} // namespace

bool is_processing_call(endpoint target) noexcept {
  switch (target) {
  case endpoint::list_processors:
  case endpoint::get_processor:
  case endpoint::drop_processor:
  case endpoint::list_dead_letters:
  case endpoint::get_dead_letter:
  case endpoint::retry_dead_letter:
  case endpoint::drop_dead_letter:
  case endpoint::drop_dead_letters:
  case endpoint::retry_dead_letters:
  case endpoint::dead_letter_retry:
  case endpoint::stop_dead_letter_retry:
    return true;
  default:
    return false;
  }
}

expected<dead_letter_selection>
read_dead_letter_selection(const query_params& params, endpoint target) {
  const auto once = given_once(params, [](std::string_view name) {
    return list_member(name) != nullptr;
  });
  if (!once)
    return fail(once.error());
  // What a call has no use for is refused: who limits what is dropped must not
  // lose everything.
  const bool lists = target == endpoint::list_dead_letters;
  const bool retries = target == endpoint::retry_dead_letters;
  dead_letter_selection out;
  auto& q = out.query;
  q.bodies = false;
  bool limited = false;
  for (const auto& [name, value] : params) {
    bool narrows = true;
    if (const auto list = list_member(name)) {
      if (const auto said = read_list(q.*list, name, value); !said)
        return fail(said.error());
    } else if (name == "origin") {
      if (const auto said = not_empty(name, value); !said)
        return fail(said.error());
      q.origin = value;
    } else if (name == "event_id") {
      q.event_id = uuid::parse(value);
      if (!q.event_id)
        return bad_parameter(name, "must be a UUID");
    } else if (name == "since" || name == "until") {
      const auto time = read_time(value);
      if (!time)
        return bad_parameter(name, "must be an RFC 3339 time");
      (name == "since" ? q.since : q.until) = time;
    } else {
      narrows = false;
      if (lists && name == "cursor") {
        const auto id = uuid::parse(value);
        if (!id)
          return bad_parameter(name, "must be what next_cursor gave");
        q.before = *id;
      } else if (lists && name == "limit") {
        const auto limit = read_limit(value);
        if (!limit)
          return fail(limit.error());
        q.limit = *limit;
        limited = true;
      } else if (lists && name == "bodies") {
        if (value != "true" && value != "false")
          return bad_parameter(name, "must be true or false");
        q.bodies = value == "true";
      } else if (retries && name == "rate") {
        if (!read_number(value, out.rate) ||
            !(out.rate == 0 ||
              (out.rate >= lowest_rate && out.rate <= highest_rate)))
          return bad_parameter(
              name, "must be a number of letters a second from 0.001 to "
                    "100000, or 0 for as fast as it goes");
      } else if (!lists && name == "all") {
        if (value != "true" && value != "false")
          return bad_parameter(name, "must be true or false");
        out.all = value == "true";
      } else {
        return unknown_parameter(name);
      }
    }
    out.narrowed = out.narrowed || narrows;
  }
  if (q.bodies && !limited)
    q.limit = most_bodies;
  if (q.bodies && q.limit > most_bodies)
    return bad_parameter("limit", "must be from 1 to 20 with bodies=true");
  return out;
}

awaitable<response> answer_processing_call(const api_call& call,
                                           const query_params& params) {
  auto* port = call.shared.behind.processing();
  if (port == nullptr)
    co_return problem_answer({ec::not_found, "this server has no processors"});
  const auto target = call.match.found->target;
  const bool selects = target == endpoint::list_dead_letters ||
                       target == endpoint::retry_dead_letters ||
                       target == endpoint::drop_dead_letters;
  dead_letter_selection selected;
  if (selects) {
    auto read = read_dead_letter_selection(params, target);
    if (!read)
      co_return problem_answer(read.error());
    selected = std::move(*read);
  } else if (const auto nothing = read_nothing(params); !nothing) {
    co_return problem_answer(nothing.error());
  }
  switch (target) {
  case endpoint::list_processors:
  case endpoint::get_processor:
    co_return co_await list_processors(call, *port);
  case endpoint::drop_processor:
    co_return co_await drop_processor(call, *port);
  case endpoint::list_dead_letters:
    co_return co_await list_letters(call, *port, std::move(selected));
  case endpoint::retry_dead_letters:
    co_return co_await retry_letters(call, *port, std::move(selected));
  case endpoint::drop_dead_letters:
    co_return co_await drop_letters(call, *port, std::move(selected));
  case endpoint::dead_letter_retry:
    co_return co_await tell_retry(call, *port, false);
  case endpoint::stop_dead_letter_retry:
    co_return co_await tell_retry(call, *port, true);
  default:
    break;
  }
  const auto id = uuid::parse(call.match.argument);
  if (!id)
    co_return problem_answer({ec::malformed, "a dead letter's id is a UUID"});
  switch (target) {
  case endpoint::get_dead_letter:
    co_return co_await get_letter(call, *port, *id);
  case endpoint::retry_dead_letter:
    co_return co_await retry_letter(call, *port, *id);
  default:
    co_return co_await drop_letter(call, *port, *id);
  }
}

} // namespace eventweft::net
