# Word counts, sorting, string functions and floating point.
BEGIN { printf "%s %d\n", ENVIRON["PROOF"], ARGC }
{
  lines++
  for (i = 1; i <= NF; i++) { word = tolower($i); gsub(/[^a-z]/, "", word); if (word != "") count[word]++ }
  if (match($0, /[0-9]+/)) numbers += substr($0, RSTART, RLENGTH)
  if ($0 ~ /^ *(if|for|while)\>? *\(/) control++
}
END {
  n = 0
  for (word in count) if (count[word] >= 150) top[++n] = sprintf("%06d %s", count[word], word)
  for (i = 2; i <= n; i++) {
    for (k = i; k > 1 && top[k] > top[k - 1]; k--) { t = top[k]; top[k] = top[k - 1]; top[k - 1] = t }
  }
  for (i = 1; i <= n; i++) print top[i] > out
  close(out)
  while ((getline line < out) > 0) if (++read <= 10) print line
  print lines, numbers, control, n, length(count)
  printf "%.10g %.6e %x %c %s\n", atan2(1, 2) + exp(1) * log(7) - sqrt(2), 12345.678, 48879, 65, substr("substring", 4, 3)
  split("a:b:c:d", parts, ":"); print parts[4] parts[1], index("haystack", "st"), toupper("mixed Case"), 2 ^ 40, 7 % 4
  exit 3
}
