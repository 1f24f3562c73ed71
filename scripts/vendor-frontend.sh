#!/bin/sh
# Fetches the front-end code that the pages ship with and the checker that their tests use, from npm,
# into web/static/vendor/ and tests/vendor/, each with its licence. Run it to move to new versions.
# The pages are our own: Frutiger, the NHS logo and the NHS favicons stay behind.
set -eu

NHSUK=10.6.1
HTMX=4.0.1
AXE=4.14.1

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
vendor=$root/web/static/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() { # name version: unpacks a package into $work/<name>
  (cd "$work" && npm pack --silent "$1@$2" >/dev/null && mkdir "$1" && tar xzf "$1-$2.tgz" -C "$1" --strip-components=1)
}

fetch nhsuk-frontend "$NHSUK"
to=$vendor/nhsuk-frontend
from=$work/nhsuk-frontend/dist/nhsuk
rm -rf "$to" && mkdir -p "$to/images"
# The font rules go, and with them every address outside; pictures are found beside the style sheet.
sed -e 's/@font-face{[^}]*}//g' \
    -e 's/Frutiger W01,arial,sans-serif/arial,sans-serif/g' \
    -e 's#/assets/images/#images/#g' \
    -e '/^\/\*# sourceMappingURL/d' -e 's#/\*\# sourceMappingURL=[^*]*\*/##' \
    "$from/nhsuk-frontend.min.css" >"$to/nhsuk-frontend.min.css"
sed -e 's#//\# sourceMappingURL=.*##' "$from/nhsuk-frontend.min.js" >"$to/nhsuk-frontend.min.js"
for picture in $(grep -o 'images/nhsuk-icon-[a-z-]*\.svg' "$to/nhsuk-frontend.min.css" | sort -u); do
  cp "$from/assets/$picture" "$to/images/"
done
if grep -q 'Frutiger\|https://assets' "$to/nhsuk-frontend.min.css"; then
  echo "the style sheet still names Frutiger or another origin" >&2
  exit 1
fi
cat >"$to/LICENCE.txt" <<END
nhsuk-frontend $NHSUK, https://github.com/nhsuk/nhsuk-frontend
Its package declares the MIT licence ("license": "MIT"); its README says that the codebase is
released under the MIT Licence, unless stated otherwise. Copyright NHS England.
Changed here: font rules, source maps and addresses of pictures. No logo, no font and no favicon.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
END

fetch htmx.org "$HTMX"
to=$vendor/htmx
rm -rf "$to" && mkdir -p "$to"
sed -e 's#//\# sourceMappingURL=.*##' "$work/htmx.org/dist/htmx.min.js" >"$to/htmx.min.js"
cp "$work/htmx.org/LICENSE" "$to/LICENCE.txt"

fetch axe-core "$AXE"
to=$root/tests/vendor/axe-core
rm -rf "$to" && mkdir -p "$to"
cp "$work/axe-core/axe.min.js" "$work/axe-core/LICENSE" "$to/"
