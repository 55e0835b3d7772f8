// SPDX-License-Identifier: Apache-2.0
#include "net/readers.hpp"

#include "codec/json_text.hpp"
#include "codec/list_json.hpp"
#include "messages/time.hpp"
#include "net/lane.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <mutex>
#include <utility>

namespace eventweft::net {

namespace {

using codec::append_member;

/// A number that is null if negative.
void append_seq(std::string& out, std::string_view name, seq_t seq) {
  codec::append_name(out, name);
  out += seq >= 0 ? std::to_string(seq) : "null";
}

void append_reader(std::string& out, const reader_view& r) {
  out += '{';
  append_member(out, "id", reader_id_text(r.id));
  append_member(out, "protocol",
                r.kind == reader_kind::websocket ? "websocket" : "sse");
  append_member(out, "format", r.cloudevents ? "cloudevents" : "native");
  append_member(out, "state", r.state);
  codec::append_name(out, "filter");
  out += r.filter;
  append_seq(out, "cursor", r.cursor);
  append_seq(out, "acknowledged", r.acknowledged);
  append_seq(out, "lag_events", r.lag_events);
  out += fmt::format(",\"lag_seconds\":{:.3f}", r.lag_seconds);
  append_member(out, "matched", r.matched);
  append_member(out, "sent", r.sent);
  append_member(out, "sent_bytes", r.sent_bytes);
  append_member(out, "errors", r.errors);
  append_seq(out, "last_seq", r.last_seq);
  append_seq(out, "credit", r.credit ? static_cast<seq_t>(*r.credit) : -1);
  append_member(out, "key", r.key);
  append_member(out, "address", r.address);
  append_member(out, "opened_at", to_rfc3339(r.opened_at));
  out += '}';
}

/// What the lanes answered so far, each on its own thread.
struct census {
  std::mutex mutex;
  size_t missing = 0;
  std::vector<reader_view> all;
  reply_to<std::vector<reader_view>> reply;
};

void finish(census& c, size_t limit) {
  std::ranges::sort(c.all, {}, &reader_view::id);
  if (c.all.size() > limit)
    c.all.resize(limit);
  c.reply(std::move(c.all));
}

} // namespace

std::string reader_id_text(reader_id id) {
  return fmt::format("{:016x}", id);
}

std::optional<reader_id> parse_reader_id(std::string_view text) {
  reader_id id = 0;
  const auto* end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, id, 16);
  if (fault != std::errc{} || at != end || text.size() != 16)
    return std::nullopt;
  return id;
}

std::string readers_json(const std::vector<reader_view>& readers, bool more) {
  return codec::list_json("readers", readers, append_reader,
                          more ? reader_id_text(readers.back().id)
                               : std::string{});
}

void reader_census::add(std::shared_ptr<lane> readers) {
  lanes_.push_back(std::move(readers));
}

void reader_census::list(const std::string& stream, reader_id after,
                         size_t limit,
                         reply_to<std::vector<reader_view>> reply) const {
  auto counted = std::make_shared<census>();
  counted->missing = lanes_.size();
  counted->reply = std::move(reply);
  for (const auto& l : lanes_)
    l->describe(stream, after, limit,
                [counted, limit](std::vector<reader_view> some) {
                  {
                    const std::lock_guard lock{counted->mutex};
                    std::ranges::move(some, std::back_inserter(counted->all));
                    if (--counted->missing != 0)
                      return;
                  }
                  finish(*counted, limit);
                });
}

} // namespace eventweft::net
