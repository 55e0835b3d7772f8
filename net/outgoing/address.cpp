// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/address.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string>

namespace eventweft::outgoing {

namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct block_v4 {
  uint32_t network;
  unsigned bits;
  address_class is;
};

constexpr uint32_t v4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) noexcept {
  return (a << 24) | (b << 16) | (c << 8) | d;
}

// The first that fits decides: single addresses stand before their blocks.
constexpr block_v4 blocks_v4[] = {
    {v4(169, 254, 169, 254), 32, address_class::metadata}, // most clouds
    {v4(169, 254, 170, 2), 32, address_class::metadata},   // AWS ECS
    {v4(169, 254, 170, 23), 32, address_class::metadata},  // AWS EKS
    {v4(100, 100, 100, 200), 32, address_class::metadata}, // Alibaba
    {v4(192, 0, 0, 192), 32, address_class::metadata},     // Oracle
    {v4(168, 63, 129, 16), 32, address_class::metadata},   // Azure
    {v4(0, 0, 0, 0), 8, address_class::unspecified},
    {v4(10, 0, 0, 0), 8, address_class::private_use},
    {v4(100, 64, 0, 0), 10, address_class::cgnat},
    {v4(127, 0, 0, 0), 8, address_class::loopback},
    {v4(169, 254, 0, 0), 16, address_class::link_local},
    {v4(172, 16, 0, 0), 12, address_class::private_use},
    {v4(192, 0, 0, 0), 24, address_class::reserved},
    {v4(192, 0, 2, 0), 24, address_class::reserved},
    {v4(192, 88, 99, 0), 24, address_class::reserved},
    {v4(192, 168, 0, 0), 16, address_class::private_use},
    {v4(198, 18, 0, 0), 15, address_class::reserved},
    {v4(198, 51, 100, 0), 24, address_class::reserved},
    {v4(203, 0, 113, 0), 24, address_class::reserved},
    {v4(224, 0, 0, 0), 4, address_class::multicast},
    {v4(240, 0, 0, 0), 4, address_class::reserved},
};

struct block_v6 {
  std::array<uint8_t, 16> network;
  unsigned bits;
  address_class is;
};

constexpr block_v6 blocks_v6[] = {
    {{}, 128, address_class::unspecified},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
     128,
     address_class::loopback},
    {{}, 96, address_class::translated}, // IPv4-compatible
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
     96,
     address_class::translated}, // IPv4-mapped
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
     96,
     address_class::translated},                                  // SIIT
    {{0, 0x64, 0xff, 0x9b}, 48, address_class::translated},       // NAT64
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, address_class::translated}, // NAT64
    {{0x20, 0x01, 0, 0}, 32, address_class::translated},          // Teredo
    {{0x20, 0x02}, 16, address_class::translated},                // 6to4
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54},
     128,
     address_class::metadata}, // AWS
    {{0xfd, 0x20, 0, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54},
     128,
     address_class::metadata}, // Google
    {{0x20, 0x01}, 23, address_class::reserved},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, address_class::reserved},
    {{0x3f, 0xff}, 20, address_class::reserved},
    {{0xfc}, 7, address_class::private_use},
    {{0xfe, 0x80}, 10, address_class::link_local},
    {{0xfe, 0xc0}, 10, address_class::private_use},
    {{0xff}, 8, address_class::multicast},
    {{0x20}, 3, address_class::global},
    // Beyond 2000::/3 nothing has been given out as global unicast.
    {{}, 0, address_class::reserved},
};

bool same_prefix(std::span<const uint8_t> a, std::span<const uint8_t> b,
                 unsigned bits) noexcept {
  for (size_t i = 0; bits > 0; ++i) {
    const unsigned here = std::min(bits, 8u);
    const unsigned mask = (0xffu << (8 - here)) & 0xffu;
    if ((a[i] & mask) != (b[i] & mask))
      return false;
    bits -= here;
  }
  return true;
}

address_class classify_v4(address_v4 address) noexcept {
  const uint32_t value = address.to_uint();
  for (const auto& block : blocks_v4)
    if ((value ^ block.network) >> (32 - block.bits) == 0)
      return block.is;
  return address_class::global;
}

address_class classify_v6(const address_v6::bytes_type& bytes) noexcept {
  for (const auto& block : blocks_v6)
    if (same_prefix(bytes, block.network, block.bits))
      return block.is;
  return address_class::reserved;
}

/// The IPv4 addresses that a translated one may lead to.
struct embedded_addresses {
  std::array<address_v4, 4> all;
  size_t count = 0;

  void add(uint8_t a, uint8_t b, uint8_t c, uint8_t d) noexcept {
    all[count++] = address_v4{address_v4::bytes_type{a, b, c, d}};
  }
  std::span<const address_v4> view() const noexcept {
    return {all.data(), count};
  }
};

// RFC 6052: it stands behind a prefix of 48, 56, 64 or 96 bits, skipping octet
// 8. Which it is only the translator knows, and it does not look at the rest.
embedded_addresses behind_nat64(const address_v6::bytes_type& b) noexcept {
  embedded_addresses out;
  const auto may_be = [&out](uint8_t a1, uint8_t a2, uint8_t a3, uint8_t a4) {
    // "This network", where none is: another prefix's padding.
    if (a1 != 0)
      out.add(a1, a2, a3, a4);
  };
  may_be(b[6], b[7], b[9], b[10]);
  may_be(b[7], b[9], b[10], b[11]);
  may_be(b[9], b[10], b[11], b[12]);
  may_be(b[12], b[13], b[14], b[15]);
  return out;
}

embedded_addresses embedded(const address_v6::bytes_type& b) noexcept {
  if (b[0] == 0 && b[1] == 0x64)
    return behind_nat64(b);
  embedded_addresses out;
  if (b[0] == 0x20 && b[1] == 0x02) {
    out.add(b[2], b[3], b[4], b[5]);
    return out;
  }
  // Teredo hides the client's address from NATs that rewrite payloads.
  const uint8_t hidden = b[0] == 0x20 && b[1] == 0x01 ? 0xff : 0;
  const auto at = [&b, hidden](size_t i) {
    return static_cast<uint8_t>(b[i] ^ hidden);
  };
  out.add(at(12), at(13), at(14), at(15));
  return out;
}

bool behind_private_switch(address_class c) noexcept {
  return c == address_class::loopback || c == address_class::private_use ||
         c == address_class::cgnat || c == address_class::link_local;
}

std::optional<unsigned> parse_bits(std::string_view text, unsigned most) {
  unsigned bits = 0;
  const auto [end, ec] =
      std::from_chars(text.data(), text.data() + text.size(), bits);
  if (ec != std::errc{} || end != text.data() + text.size() || bits > most)
    return std::nullopt;
  return bits;
}

} // namespace

std::string_view to_string(address_class c) noexcept {
  switch (c) {
  case address_class::global:
    return "global";
  case address_class::loopback:
    return "loopback";
  case address_class::private_use:
    return "private";
  case address_class::cgnat:
    return "carrier-grade NAT";
  case address_class::link_local:
    return "link-local";
  case address_class::metadata:
    return "metadata service";
  case address_class::multicast:
    return "multicast";
  case address_class::unspecified:
    return "unspecified";
  case address_class::reserved:
    return "reserved";
  case address_class::translated:
    return "translated IPv4";
  }
  return "reserved";
}

address_class classify(const ip_address& address) noexcept {
  return address.is_v4() ? classify_v4(address.to_v4())
                         : classify_v6(address.to_v6().to_bytes());
}

bool cidr::contains(const ip_address& address) const noexcept {
  if (address.is_v6() != v6)
    return false;
  if (v6)
    return same_prefix(address.to_v6().to_bytes(), bytes, bits);
  return same_prefix(address.to_v4().to_bytes(), bytes, bits);
}

expected<cidr> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  const std::string host{text.substr(0, slash)};
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(host, failed);
  const auto bad = [&text](const char* why) {
    return fail(ec::bad_configuration,
                "\"" + std::string{text} + "\" is no address block: " + why);
  };
  if (failed || host.find('%') != std::string::npos)
    return bad("it does not start with an IPv4 or IPv6 address");
  const unsigned most = address.is_v6() ? 128 : 32;
  auto bits = slash == std::string_view::npos
                  ? std::optional<unsigned>{most}
                  : parse_bits(text.substr(slash + 1), most);
  if (!bits)
    return bad("the number of bits after the slash is out of range");
  cidr out{address.is_v6(), {}, *bits};
  if (address.is_v6()) {
    out.bytes = address.to_v6().to_bytes();
  } else {
    std::ranges::copy(address.to_v4().to_bytes(), out.bytes.begin());
  }
  for (unsigned bit = *bits; bit < most; ++bit)
    if ((out.bytes[bit / 8] >> (7 - bit % 8)) & 1u)
      return bad("it has bits set beyond its mask");
  return out;
}

bool address_policy::permits(const ip_address& address) const noexcept {
  const auto is = classify(address);
  const bool listed =
      std::ranges::any_of(allowed, [&address](const cidr& block) {
        return block.contains(address);
      });
  if (is == address_class::translated) {
    const auto within = embedded(address.to_v6().to_bytes());
    return (listed || allow_private_networks) && within.count != 0 &&
           std::ranges::all_of(within.view(), [this](const address_v4& x) {
             return permits(x);
           });
  }
  return is == address_class::global || listed ||
         (allow_private_networks && behind_private_switch(is));
}

} // namespace eventweft::outgoing
