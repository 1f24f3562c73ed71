"""Makes documents from known words, so that what is read from them can be held against the truth.

Every maker returns the file's bytes and what stands in it: which paragraph on which page, which
cells in which row. All words are made up here; the same arguments give the same words.
"""

from eval.making.archives import archive as archive
from eval.making.archives import with_lie_about_size as with_lie_about_size
from eval.making.archives import with_part as with_part
from eval.making.odd import FONT_OBJECT as FONT_OBJECT
from eval.making.odd import pdf_encrypted as pdf_encrypted
from eval.making.odd import pdf_hidden as pdf_hidden
from eval.making.odd import pdf_labelled as pdf_labelled
from eval.making.odd import pdf_page as pdf_page
from eval.making.odd import pdf_raw as pdf_raw
from eval.making.odd import pdf_scan as pdf_scan
from eval.making.odd import pdf_stream as pdf_stream
from eval.making.pages import Pages as Pages
from eval.making.pages import pdf_broken_over_pages as pdf_broken_over_pages
from eval.making.pages import pdf_columns as pdf_columns
from eval.making.pages import pdf_contents as pdf_contents
from eval.making.pages import pdf_headings as pdf_headings
from eval.making.pages import pdf_list as pdf_list
from eval.making.pages import pdf_rotated as pdf_rotated
from eval.making.pages import pdf_side_box as pdf_side_box
from eval.making.pages import pdf_single_column as pdf_single_column
from eval.making.pages import pdf_spread as pdf_spread
from eval.making.pages import pdf_with_stamps as pdf_with_stamps
from eval.making.slides import pptx_picture as pptx_picture
from eval.making.slides import pptx_shapes as pptx_shapes
from eval.making.slides import pptx_slides as pptx_slides
from eval.making.tables import pdf_figures as pdf_figures
from eval.making.tables import pdf_table as pdf_table
from eval.making.tables import table_rows as table_rows
from eval.making.word import docx_footnote as docx_footnote
from eval.making.word import docx_hidden as docx_hidden
from eval.making.word import docx_merged as docx_merged
from eval.making.word import docx_plain as docx_plain
from eval.making.word import docx_table as docx_table
from eval.making.word import docx_text_box as docx_text_box
from eval.making.word import docx_tracked as docx_tracked
from eval.making.word import docx_with as docx_with
from eval.making.words import Made as Made
from eval.making.words import paragraphs as paragraphs
from eval.making.words import wrapped as wrapped
