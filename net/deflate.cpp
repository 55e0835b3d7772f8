// SPDX-License-Identifier: Apache-2.0
#include "net/deflate.hpp"

#include "codec/event_json.hpp"
#include "net/types.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace eventweft::net {

namespace {

/// Shorter messages gain nothing.
constexpr size_t worth_bytes = 128;

constexpr size_t kept_bytes = 4u << 20;

/// What a sync flush ends with; the receiver adds it again.
constexpr std::string_view flush_end{"\x00\x00\xff\xff", 4};

std::optional<int> window_of(beast::string_view text) {
  int bits = 0;
  const auto* last = text.data() + text.size();
  const auto [end, fault] = std::from_chars(text.data(), last, bits);
  if (fault != std::errc{} || end != last || text.front() == '0' || bits < 8 ||
      bits > 15)
    return std::nullopt;
  return bits;
}

/// The parameters of one offer; nothing if it must be declined.
std::optional<deflate_terms> read_offer(const http::param_list& parameters) {
  deflate_terms terms;
  terms.offer = "permessage-deflate";
  std::optional<int> server, client;
  bool client_given = false;
  int server_alone = 0, client_alone = 0;
  for (const auto& [name, value] : parameters) {
    if (beast::iequals(name, "server_max_window_bits")) {
      if (server || value.empty() || !(server = window_of(value)))
        return std::nullopt;
    } else if (beast::iequals(name, "client_max_window_bits")) {
      if (std::exchange(client_given, true))
        return std::nullopt;
      if (!value.empty() && !(client = window_of(value)))
        return std::nullopt;
    } else if (beast::iequals(name, "server_no_context_takeover")) {
      if (++server_alone > 1 || !value.empty())
        return std::nullopt;
    } else if (beast::iequals(name, "client_no_context_takeover")) {
      if (++client_alone > 1 || !value.empty())
        return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  // zlib can't make a window of 8 bits: neither ours, nor that of clients,
  // which would agree on 8 and write 9. What is answered may not be above what
  // was offered.
  if (server.value_or(15) < 9 || client.value_or(15) < 9)
    return std::nullopt;
  if (server)
    terms.window = *server >= 15   ? packing::window15
                   : *server >= 12 ? packing::window12
                                   : packing::window9;
  if (terms.window != packing::window15)
    terms.offer +=
        "; server_max_window_bits=" + std::to_string(window_bits(terms.window));
  if (client_given) {
    // What clients say is short: a small window is enough and costs less.
    constexpr int small_window = 10;
    terms.client_bits = std::min(client.value_or(15), small_window);
    terms.offer += "; client_max_window_bits";
    // A value in the offer is a limit for ours.
    if (client)
      terms.offer += '=' + std::to_string(*client);
  }
  return terms;
}

} // namespace

std::optional<deflate_terms> choose_deflate(std::string_view offers) {
  const http::ext_list list{{offers.data(), offers.size()}};
  for (const auto& [name, parameters] : list)
    if (beast::iequals(name, "permessage-deflate"))
      if (auto terms = read_offer(parameters))
        return terms;
  return std::nullopt;
}

// -- deflater -----------------------------------------------------------------

struct deflater::stream {
  z_stream z{};

  stream(int level, int bits) {
    // Raw deflate, zlib's default memory.
    constexpr int memory_level = 8;
    if (::deflateInit2(&z, level, Z_DEFLATED, -bits, memory_level,
                       Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc{};
  }
  ~stream() { ::deflateEnd(&z); }
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
};

deflater::deflater(int level) : level_(level) {
  // nop
}

deflater::~deflater() = default;

deflater::stream& deflater::stream_for(packing window) {
  auto& s = streams_[static_cast<size_t>(window)];
  if (!s)
    s = std::make_unique<stream>(level_, window_bits(window));
  return *s;
}

void deflater::append_frame(std::string& out, std::string_view text,
                            packing window) {
  if (window == packing::none || text.size() < worth_bytes) {
    append_text_frame(out, text);
    return;
  }
  auto& z = stream_for(window).z;
  ::deflateReset(&z);
  scratch_.resize(::deflateBound(&z, text.size()) + 16);
  // zlib's interface knows no const; it only reads.
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(scratch_.data());
  z.avail_out = static_cast<uInt>(scratch_.size());
  const bool good = ::deflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_in == 0 &&
                    z.avail_out != 0;
  std::string_view packed{scratch_.data(), scratch_.size() - z.avail_out};
  if (!good || !packed.ends_with(flush_end)) {
    append_text_frame(out, text);
    return;
  }
  packed.remove_suffix(flush_end.size());
  if (packed.size() >= text.size())
    append_text_frame(out, text);
  else
    append_text_frame(out, packed, true);
}

// -- packed_frames ------------------------------------------------------------

std::string_view packed_frames::frame(const event_ptr& ev, wire_style style) {
  const auto k = static_cast<key>(ev->seq) * wire_style_count + style.index();
  auto [found, is_new] = frames_.try_emplace(k);
  if (!is_new)
    return found->second;
  const auto text = codec::wire_text(ev, style.format);
  deflater_.append_frame(found->second, text, style.pack);
  found->second.shrink_to_fit();
  if (on_packed)
    on_packed(text.size(), found->second.size());
  bytes_ += found->second.size();
  oldest_first_.push_back(k);
  while (bytes_ > kept_bytes && oldest_first_.size() > 1) {
    const auto old = frames_.find(oldest_first_.front());
    bytes_ -= old->second.size();
    frames_.erase(old);
    oldest_first_.pop_front();
  }
  return found->second;
}

} // namespace eventweft::net
