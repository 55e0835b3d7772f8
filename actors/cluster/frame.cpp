// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/frame.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace eventweft::link {

namespace {

constexpr std::string_view magic = "EWL";

/// Of the two kinds of thread news.
constexpr size_t link_bytes = 48;
constexpr size_t name_bytes = 32;

/// Of what became of an event, its text aside.
constexpr size_t appended_bytes = 29;

class writer {
 public:
  std::string out;

  void u8(uint8_t x) { out.push_back(static_cast<char>(x)); }
  void u32(uint32_t x) { little(x, 4); }
  void u64(uint64_t x) { little(x, 8); }
  void seq(seq_t x) { u64(static_cast<uint64_t>(x)); }
  void text(std::string_view x) {
    u32(static_cast<uint32_t>(x.size()));
    out.append(x);
  }
  void id(const uuid& x) {
    for (const auto b : x.bytes)
      u8(b);
  }

 private:
  void little(uint64_t x, int bytes) {
    for (int i = 0; i < bytes; ++i)
      u8(static_cast<uint8_t>(x >> (8 * i)));
  }
};

class reader {
 public:
  explicit reader(std::string_view in) : in_(in) {}

  bool ok() const noexcept { return ok_; }
  bool done() const noexcept { return ok_ && in_.empty(); }
  size_t left() const noexcept { return in_.size(); }
  std::string_view rest() const noexcept { return in_; }

  uint8_t u8() { return static_cast<uint8_t>(little(1)); }
  uint32_t u32() { return static_cast<uint32_t>(little(4)); }
  uint64_t u64() { return little(8); }
  seq_t seq() {
    const auto x = u64();
    ok_ = ok_ && x <= static_cast<uint64_t>(INT64_MAX);
    return static_cast<seq_t>(x);
  }
  std::string text() {
    const auto size = u32();
    return std::string{take(size)};
  }
  uuid id() {
    uuid out;
    const auto bytes = take(out.bytes.size());
    if (ok_)
      std::memcpy(out.bytes.data(), bytes.data(), bytes.size());
    return out;
  }
  std::string_view take(size_t n) {
    if (n > in_.size()) {
      ok_ = false;
      return {};
    }
    const auto out = in_.substr(0, n);
    in_.remove_prefix(n);
    return out;
  }
  void fail() noexcept { ok_ = false; }

 private:
  uint64_t little(size_t bytes) {
    const auto raw = take(bytes);
    uint64_t x = 0;
    for (size_t i = 0; i < raw.size(); ++i)
      x |= static_cast<uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
    return x;
  }

  std::string_view in_;
  bool ok_ = true;
};

void write(writer& w, const hello& h) {
  w.out.append(magic);
  w.u32(h.protocol_min);
  w.u32(h.protocol);
  w.u64(h.types);
  w.text(h.node);
  w.id(h.incarnation);
  w.id(h.store);
  w.text(h.nonce);
  w.text(h.certificate);
}

hello read_hello(reader& r) {
  hello h;
  if (r.take(magic.size()) != magic)
    r.fail();
  h.protocol_min = r.u32();
  h.protocol = r.u32();
  h.types = r.u64();
  h.node = r.text();
  h.incarnation = r.id();
  h.store = r.id();
  h.nonce = r.text();
  h.certificate = r.text();
  if (h.nonce.size() != nonce_bytes || h.node.empty())
    r.fail();
  return h;
}

struct item_writer {
  writer& w;
  void operator()(const events_item& x) const {
    w.u8(1);
    w.seq(x.first);
    w.seq(x.last);
    w.u32(static_cast<uint32_t>(x.events.size()));
    for (const auto& e : x.events)
      w.text(e);
  }
  void operator()(const head_item& x) const {
    w.u8(2);
    w.seq(x.seq);
  }
  void operator()(const control_event& x) const {
    w.u8(3);
    w.u8(static_cast<uint8_t>(x.kind));
    w.text(x.what);
  }
  void operator()(const reply_item& x) const {
    w.u8(4);
    w.id(x.event);
    w.u32(x.reply ? static_cast<uint32_t>(x.reply->status) : 0);
    w.text(x.reply ? x.reply->content_type : std::string{});
    w.text(x.reply ? x.reply->body : std::string{});
  }
  void operator()(const news_item& x) const {
    w.u8(5);
    w.u32(static_cast<uint32_t>(x.news.links.size()));
    for (const auto& l : x.news.links) {
      w.id(l.event);
      w.id(l.thread.value_or(uuid{}));
      w.id(l.parent.value_or(uuid{}));
    }
    w.u32(static_cast<uint32_t>(x.news.names.size()));
    for (const auto& [id, thread] : x.news.names) {
      w.id(id);
      w.id(thread);
    }
  }
  void operator()(const interest_item& x) const {
    w.u8(6);
    w.u8(x.events ? 1 : 0);
  }
  void operator()(const append_item& x) const {
    w.u8(7);
    w.u64(x.number);
    w.text(x.events);
  }
  void operator()(const appended_item& x) const {
    w.u8(8);
    w.u64(x.number);
    w.u32(static_cast<uint32_t>(x.events.size()));
    for (const auto& e : x.events) {
      w.id(e.id);
      w.u8(static_cast<uint8_t>(e.became));
      w.seq(e.seq);
      w.text(e.why);
    }
  }
  void operator()(const newer_item& x) const {
    w.u8(x.kind);
    w.out.append(x.body);
  }
};

reply_item read_reply(reader& r) {
  reply_item x;
  x.event = r.id();
  const auto status = r.u32();
  processing::reply given;
  given.content_type = r.text();
  given.body = r.text();
  if (status == 0) {
    if (!given.content_type.empty() || !given.body.empty())
      r.fail();
    return x;
  }
  if (status < 100 || status > 599)
    r.fail();
  given.status = static_cast<int>(status);
  x.reply = std::move(given);
  return x;
}

/// At most as many as there are bytes for.
uint32_t read_count(reader& r, size_t each) {
  const auto count = r.u32();
  if (count > r.left() / each)
    r.fail();
  return r.ok() ? count : 0;
}

news_item read_news(reader& r) {
  const auto maybe = [&r]() -> std::optional<uuid> {
    const auto id = r.id();
    return id.is_nil() ? std::nullopt : std::optional{id};
  };
  news_item x;
  for (auto left = read_count(r, link_bytes); left > 0; --left) {
    auto& l = x.news.links.emplace_back();
    l.event = r.id();
    l.thread = maybe();
    l.parent = maybe();
  }
  for (auto left = read_count(r, name_bytes); left > 0; --left) {
    const auto id = r.id();
    x.news.names.emplace_back(id, r.id());
  }
  return x;
}

appended_item read_appended(reader& r) {
  appended_item x;
  x.number = r.u64();
  for (auto left = read_count(r, appended_bytes); left > 0; --left) {
    auto& e = x.events.emplace_back();
    e.id = r.id();
    const auto became = r.u8();
    if (became > static_cast<uint8_t>(appended::kind::not_taken))
      r.fail();
    else
      e.became = static_cast<appended::kind>(became);
    e.seq = r.seq();
    e.why = r.text();
  }
  return x;
}

data_item read_item(reader& r) {
  const auto item = r.u8();
  switch (item) {
  case 1: {
    events_item x;
    x.first = r.seq();
    x.last = r.seq();
    // Each has a length at least: no count makes us take much memory.
    const auto count = read_count(r, 4);
    for (uint32_t i = 0; i < count && r.ok(); ++i)
      x.events.push_back(r.text());
    return x;
  }
  case 2:
    return head_item{r.seq()};
  case 3: {
    const auto whole = r.rest();
    const auto kind = r.u8();
    auto what = r.text();
    if (kind > last_control_kind)
      return newer_item{item, std::string{whole}};
    return control_event{static_cast<control_kind>(kind), std::move(what)};
  }
  case 4:
    return read_reply(r);
  case 5:
    return read_news(r);
  case 6: {
    const auto events = r.u8();
    if (events > 1)
      r.fail();
    return interest_item{events == 1};
  }
  case 7: {
    append_item x;
    x.number = r.u64();
    x.events = r.text();
    return x;
  }
  case 8:
    return read_appended(r);
  case 0:
    r.fail();
    return head_item{};
  default:
    return newer_item{item, std::string{r.take(r.left())}};
  }
}

struct frame_writer {
  writer& w;
  void operator()(const hello& x) const {
    w.u8(1);
    write(w, x);
  }
  void operator()(const answer& x) const {
    w.u8(2);
    write(w, x.who);
    w.text(x.signature);
  }
  void operator()(const proof& x) const {
    w.u8(3);
    w.text(x.signature);
  }
  void operator()(const welcome& x) const {
    w.u8(4);
    w.u64(x.credit);
  }
  void operator()(const refused& x) const {
    w.u8(5);
    w.text(x.reason);
  }
  void operator()(const data& x) const {
    w.u8(6);
    w.u64(x.number);
    std::visit(item_writer{w}, x.item);
  }
  void operator()(const ack& x) const {
    w.u8(7);
    w.u64(x.number);
    w.u64(x.credit);
  }
  void operator()(const ping& x) const {
    w.u8(8);
    w.u64(x.stamp);
    w.u64(x.sent);
    w.seq(x.head);
  }
  void operator()(const pong& x) const {
    w.u8(9);
    w.u64(x.stamp);
    w.seq(x.head);
  }
  void operator()(const bye& x) const {
    w.u8(10);
    w.text(x.reason);
  }
};

frame read_frame(reader& r) {
  switch (r.u8()) {
  case 1:
    return read_hello(r);
  case 2: {
    answer x;
    x.who = read_hello(r);
    x.signature = r.text();
    return x;
  }
  case 3:
    return proof{r.text()};
  case 4:
    return welcome{r.u64()};
  case 5:
    return refused{r.text()};
  case 6: {
    data x;
    x.number = r.u64();
    x.item = read_item(r);
    return x;
  }
  case 7: {
    ack x;
    x.number = r.u64();
    x.credit = r.u64();
    return x;
  }
  case 8: {
    ping x;
    x.stamp = r.u64();
    x.sent = r.u64();
    x.head = r.seq();
    return x;
  }
  case 9: {
    pong x;
    x.stamp = r.u64();
    x.head = r.seq();
    return x;
  }
  case 10:
    return bye{r.text()};
  default:
    r.fail();
    return bye{};
  }
}

} // namespace

size_t bytes_of(const thread_news& news) noexcept {
  return 32 + link_bytes * news.links.size() + name_bytes * news.names.size();
}

size_t bytes_of(const appended_item& x) noexcept {
  size_t bytes = 32;
  for (const auto& e : x.events)
    bytes += appended_bytes + e.why.size();
  return bytes;
}

std::string encode(const frame& f) {
  writer w;
  std::visit(frame_writer{w}, f);
  return std::move(w.out);
}

expected<frame> decode(std::string_view bytes) {
  if (bytes.size() > max_frame_bytes)
    return fail(ec::too_large,
                "a frame of " + std::to_string(bytes.size()) + " bytes");
  reader r{bytes};
  auto out = read_frame(r);
  if (!r.done())
    return fail(ec::malformed, "a frame that can't be read");
  return out;
}

} // namespace eventweft::link
