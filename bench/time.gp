# SPDX-License-Identifier: GPL-2.0
# Draws the times of a CSV file: gnuplot -e "csv='...'; svg='...'" time.gp
set terminal svg size 900,900 font 'sans-serif,12' background 'white'
set output svg
set datafile separator tab
set style fill solid 0.9 noborder
set style data histogram
set style histogram clustered gap 1
set format y '%.0f'
theirs = '#999999'
ours = '#1f6fb4'
rows(sections) = sprintf("< grep -E '^\"(%s)' '%s' | tr -d '\"' | sed -E 's/,([^ ])/\t\\1/g'", sections, csv)

set logscale y
set ylabel 'nanoseconds'
set grid ytics
set xtics rotate by -50 scale 0
set key top left
set rmargin 12

set multiplot layout 2, 1
set title 'Single operations, above a null ioctl'
plot rows('calls') using 3:xtic(2) linecolor rgb theirs title 'in-kernel driver of Linux 7.3', \
     '' using 4 linecolor rgb ours title 'this driver'
set title 'On two processors, and waking'
plot rows('processors|wakes') using 3:xtic(2) linecolor rgb theirs notitle, \
     '' using 4 linecolor rgb ours notitle
unset multiplot
